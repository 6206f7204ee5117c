// Weights as a pack stores them, [output][input][tap], into the matrix of
// weight.wgsl: w = s·q, where q is by FROM a float (0), a half (1), a bfloat16 (2)
// or an int8 (3), of which several lie in a word, and s the scale that an int8
// shares with PER others, else 1. OUT outputs are there, of which the first is
// element FIRST of the tensor and belongs to block O0 of WB. A thread makes one
// input channel of one tap of one block. Workgroup 64 along the blocks.
//# include weight
//# bind read plain array<u32>
//# if FROM == 3
//# bind read scale array<f32>
//# end
//# bind write w array<W>
//# params OUT IN TAPS CI WB O0 BLOCKS ROW FIRST PER

fn element(i: u32) -> f32 {
  //# if FROM == 0
  return bitcast<f32>(plain[i]);
  //# end
  //# if FROM == 1
  // unpack2x16float may take small halves for zeros.
  let h = plain[i >> 1u] >> (16u * (i & 1u));
  let exponent = (h >> 10u) & 31u;
  let large = ((h & 0x7fffu) << 13u) + select(0x38000000u, 0x70000000u, exponent == 31u);
  let small = bitcast<u32>(f32(h & 0x3ffu) / 16777216.0);
  return bitcast<f32>(select(large, small, exponent == 0u) | ((h & 0x8000u) << 16u));
  //# end
  //# if FROM == 2
  return bitcast<f32>((plain[i >> 1u] >> (16u * (i & 1u))) << 16u);
  //# end
  //# if FROM == 3
  let q = bitcast<i32>(plain[i >> 2u] << (24u - 8u * (i & 3u))) >> 24u;
  return scale[(p.FIRST + i) / p.PER] * f32(q);
  //# end
}

fn pick(o: u32, c: u32, tap: u32) -> f32 {
  if (o >= p.OUT || c >= p.IN) { return 0.0; }
  return element((o * p.IN + c) * p.TAPS + tap);
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
