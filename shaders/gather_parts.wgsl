// Adds PARTS parts of COUNT vectors to y: y[i] += Σ x[FIRST + part·STRIDE + i].
// A thread makes one vector; rows of workgroups follow each other. Workgroup 64.
//# bind write x array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params COUNT PARTS FIRST STRIDE

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) size: vec3<u32>) {
  let i = id.y * 64u * size.x + id.x;
  if (i >= p.COUNT) { return; }
  var s = y[i];
  for (var part = 0u; part < p.PARTS; part++) { s += x[p.FIRST + part * p.STRIDE + i]; }
  y[i] = s;
}
