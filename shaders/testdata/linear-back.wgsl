// The gradient by what a linear layer reads (plan.LinearBack): Σ d[o]·w[c, o],
// times the slope of SiLU if x went through it. The weights are the piece of WB
// blocks from O0 on; with ADD the sum comes on top of what is there. A thread
// makes one channel of one sample. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
struct Params {
  CB: u32,
  O0: u32,
  OB: u32,
  WB: u32,
}
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let c = id.x;
  if (c >= 4u * p.CB) { return; }
  var v = 0.0;
  for (var o = 0u; o < p.WB; o++) { v += dot(d[id.y * p.OB + p.O0 + o], w[c * p.WB + o]); }
  let at = id.y * 4u * p.CB + c;
  let z = x[at];
  let s = 1.0 / (1.0 + exp(min(-z, 80.0)));
  v *= s * (1.0 + z * (1.0 - s));
  y[at] = v;
}
