// Weights from the pack's order, [output][input][tap] floats, into the matrix of
// weight.wgsl: OUT outputs, of which the first belongs to block O0 of WB. A thread
// makes one input channel of one tap of one block. Workgroup 64 along the blocks.
//# include weight
//# bind read plain array<f32>
//# bind write w array<W>
//# params OUT IN TAPS CI WB O0 BLOCKS ROW

fn pick(o: u32, c: u32, tap: u32) -> f32 {
  if (o >= p.OUT || c >= p.IN) { return 0.0; }
  return plain[(o * p.IN + c) * p.TAPS + tap];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.BLOCKS) { return; }
  let row = p.ROW + id.y;
  let tap = row / p.CI;
  let c = row % p.CI;
  let o = 4u * id.x;
  let v = vec4<f32>(pick(o, c, tap), pick(o + 1u, c, tap), pick(o + 2u, c, tap), pick(o + 3u, c, tap));
  //# if W16
  w[row * p.WB + p.O0 + id.x] = W(pack2x16float(v.xy), pack2x16float(v.zw));
  //# else
  w[row * p.WB + p.O0 + id.x] = v;
  //# end
}
