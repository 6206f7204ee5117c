// Sums over the pixels of a block: of every sample for itself (plan.SumBack), or
// with ALL of N samples together (the gradient by a bias). With ADD they come on
// top of what is there. A workgroup of 64 makes one sum.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  N: u32,
  CB: u32,
  AREA: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> parts: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  var s = vec4<f32>(0.0);
  {
    let n = group.y;
    let plane = (n * p.CB + group.x) * p.AREA;
    for (var i = lid; i < p.AREA; i += 64u) { s += x[plane + i]; }
  }
  parts[lid] = s;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { parts[lid] += parts[lid + half]; }
    workgroupBarrier();
  }
  if (lid == 0u) {
    let to = group.y * p.CB + group.x;
    y[to] += parts[0];
  }
}
