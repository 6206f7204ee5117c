// Adds to the gradient by a linear layer's weights (plan.ParamBack):
// w[c, o] += Σ x[n, c]·d[n, o] over N samples, SiLU first if x went through it.
// The weights are the piece of WB blocks from O0 on. A thread makes one block of
// one row of CB·4. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  N: u32,
  CB: u32,
  O0: u32,
  OB: u32,
  WB: u32,
}
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.WB) { return; }
  var s = vec4<f32>(0.0);
  for (var n = 0u; n < p.N; n++) {
    var v = x[n * 4u * p.CB + id.y];
    v = v / (1.0 + exp(min(-v, 80.0)));
    s += v * d[n * p.OB + p.O0 + id.x];
  }
  y[id.y * p.WB + id.x] += s;
}
