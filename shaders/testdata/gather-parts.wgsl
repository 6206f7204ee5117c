// Adds PARTS parts of COUNT vectors to y: y[i] += Σ x[FIRST + part·STRIDE + i].
// A thread makes one vector; rows of workgroups follow each other. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  COUNT: u32,
  PARTS: u32,
  FIRST: u32,
  STRIDE: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) size: vec3<u32>) {
  let i = id.y * 64u * size.x + id.x;
  if (i >= p.COUNT) { return; }
  var s = y[i];
  for (var part = 0u; part < p.PARTS; part++) { s += x[p.FIRST + part * p.STRIDE + i]; }
  y[i] = s;
}
