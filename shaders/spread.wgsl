// The adjoint of taking every second pixel: y is H×W, with x at the even pixels
// and zeros elsewhere. A thread makes one block of one pixel; the third
// dimension is the sample. Workgroup 64.
//# bind write x array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params CB H W IH IW

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.H * p.W) { return; }
  let row = id.x / p.W;
  let col = id.x % p.W;
  let plane = id.z * p.CB + id.y;
  var v = vec4<f32>(0.0);
  if (row % 2u == 0u && col % 2u == 0u) { v = x[(plane * p.IH + row / 2u) * p.IW + col / 2u]; }
  y[plane * p.H * p.W + id.x] = v;
}
