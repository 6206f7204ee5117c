// Zeros in COUNT vectors. A thread writes one of each row of STRIDE. Workgroup 64.
//# bind write y array<vec4<f32>>
//# params COUNT STRIDE

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.y * p.STRIDE + id.x;
  if (id.x < p.STRIDE && at < p.COUNT) { y[at] = vec4<f32>(0.0); }
}
