// A step of AdamW with decoupled decay, and of the moving average, over COUNT
// vectors (device.Update): g = SCALE·grad,
//
//   m1 = BETA1·m1 + (1−BETA1)·g,  m2 = BETA2·m2 + (1−BETA2)·g²
//   w  = w·KEEP − RATE·m1 / (√(m2·FIX2) + EPS)
//   average += FOLLOW·(w − average)
//
// where KEEP = 1 − rate·decay, RATE = rate/(1−β1ⁿ) and FIX2 = 1/(1−β2ⁿ). The
// gradients are cleared. A thread makes one vector. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> w: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> grad: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> m1: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> m2: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> average: array<vec4<f32>>;
struct Params {
  COUNT: u32,
  SCALE: f32,
  BETA1: f32,
  REST1: f32,
  BETA2: f32,
  REST2: f32,
  KEEP: f32,
  RATE: f32,
  FIX2: f32,
  EPS: f32,
  FOLLOW: f32,
}
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= p.COUNT) { return; }
  let g = p.SCALE * grad[i];
  let a = p.BETA1 * m1[i] + p.REST1 * g;
  let b = p.BETA2 * m2[i] + p.REST2 * g * g;
  m1[i] = a;
  m2[i] = b;
  let v = p.KEEP * w[i] - p.RATE * a / (sqrt(b * p.FIX2) + vec4<f32>(p.EPS));
  w[i] = v;
  average[i] += p.FOLLOW * (v - average[i]);
  grad[i] = vec4<f32>(0.0);
}
