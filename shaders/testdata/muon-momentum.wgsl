// Muon's momentum over COUNT vectors (device.Update), and what is made
// orthogonal of it, in the gradient's place: with g = scale·grad
//
//   m1 = MOMENTUM·m1 + REST·grad,  grad = MOMENTUM·m1 + REST·grad
//
// where REST = (1−momentum)·scale. A thread makes one vector. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> grad: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> m1: array<vec4<f32>>;
struct Params {
  COUNT: u32,
  MOMENTUM: f32,
  REST: f32,
}
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= p.COUNT) { return; }
  let g = p.REST * grad[i];
  let a = p.MOMENTUM * m1[i] + g;
  m1[i] = a;
  grad[i] = p.MOMENTUM * a + g;
}
