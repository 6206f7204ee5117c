// The end of a convolution whose steps were split: y = b + Σ parts, and what
// write.wgsl adds. PART is [z][block][m], PARTS of them; a thread makes one
// block of four channels of one pixel. Workgroup 64.
//# include store
//# bind write part array<vec4<f32>>
//# bind read bias array<vec4<f32>>
//# include write
//# params OH OW OB M O0 WB PARTS

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let m = id.x;
  if (m >= p.M) { return; }
  var v = bias[p.O0 + id.y];
  for (var z = 0u; z < p.PARTS; z++) {
    v += part[(z * p.WB + id.y) * p.M + m];
  }
  emit(m / (p.OH * p.OW), p.O0 + id.y, m % (p.OH * p.OW), v);
}
