// A Gram matrix of OB·4 over its trace, which is |U|² and goes to norm; one of
// nothing is left as it is. A thread makes one vector. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;
struct Params {
  OB: u32,
}
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= 4u * p.OB * p.OB) { return; }
  var trace = 0.0;
  for (var r = 0u; r < p.OB; r++) {
    let at = 4u * r * p.OB + r;
    trace += x[at].x + x[at + p.OB].y + x[at + 2u * p.OB].z + x[at + 3u * p.OB].w;
  }
  if (trace == 0.0) { trace = 1.0; }
  y[i] = x[i] / trace;
  if (i == 0u) { norm[0] = trace; }
}
