// Sums of squares of COUNT vectors, a share for each workgroup of 64, which takes
// PER vectors: what the length of a gradient is summed of.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Params {
  COUNT: u32,
  PER: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  var s = 0.0;
  for (var i = group.x * p.PER + lid; i < min((group.x + 1u) * p.PER, p.COUNT); i += 64u) { s += dot(x[i], x[i]); }
  parts[lid] = s;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { parts[lid] += parts[lid + half]; }
    workgroupBarrier();
  }
  if (lid == 0u) { y[group.x] = parts[0]; }
}
