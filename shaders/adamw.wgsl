// A step of AdamW with decoupled decay, and of the moving average, over COUNT
// vectors (device.Update): g = SCALE·grad,
//
//   m1 = BETA1·m1 + (1−BETA1)·g,  m2 = BETA2·m2 + (1−BETA2)·g²
//   w  = w·KEEP − RATE·m1 / (√(m2·FIX2) + EPS)
//   average += FOLLOW·(w − average)
//
// where KEEP = 1 − rate·decay, RATE = rate/(1−β1ⁿ) and FIX2 = 1/(1−β2ⁿ). The
// gradients are cleared. A thread makes one vector. Workgroup 64.
//# bind write w array<vec4<f32>>
//# bind write grad array<vec4<f32>>
//# bind write m1 array<vec4<f32>>
//# bind write m2 array<vec4<f32>>
//# bind write average array<vec4<f32>>
//# params COUNT f:SCALE f:BETA1 f:REST1 f:BETA2 f:REST2 f:KEEP f:RATE f:FIX2 f:EPS f:FOLLOW

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
