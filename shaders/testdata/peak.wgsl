// The arithmetic roof: every thread does ROUNDS × 32 multiply-adds of vectors of
// four in eight chains that do not wait for each other. Workgroup 256.
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  ROUNDS: u32,
  A: f32,
  B: f32,
}
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let a = vec4<f32>(p.A);
  let b = vec4<f32>(p.B);
  var v0 = vec4<f32>(f32(id.x + 0u));
  var v1 = vec4<f32>(f32(id.x + 1u));
  var v2 = vec4<f32>(f32(id.x + 2u));
  var v3 = vec4<f32>(f32(id.x + 3u));
  var v4 = vec4<f32>(f32(id.x + 4u));
  var v5 = vec4<f32>(f32(id.x + 5u));
  var v6 = vec4<f32>(f32(id.x + 6u));
  var v7 = vec4<f32>(f32(id.x + 7u));
  for (var i = 0u; i < p.ROUNDS; i++) {
    v0 = v0 * a + b;
    v1 = v1 * a + b;
    v2 = v2 * a + b;
    v3 = v3 * a + b;
    v4 = v4 * a + b;
    v5 = v5 * a + b;
    v6 = v6 * a + b;
    v7 = v7 * a + b;
    v0 = v0 * a + b;
    v1 = v1 * a + b;
    v2 = v2 * a + b;
    v3 = v3 * a + b;
    v4 = v4 * a + b;
    v5 = v5 * a + b;
    v6 = v6 * a + b;
    v7 = v7 * a + b;
    v0 = v0 * a + b;
    v1 = v1 * a + b;
    v2 = v2 * a + b;
    v3 = v3 * a + b;
    v4 = v4 * a + b;
    v5 = v5 * a + b;
    v6 = v6 * a + b;
    v7 = v7 * a + b;
    v0 = v0 * a + b;
    v1 = v1 * a + b;
    v2 = v2 * a + b;
    v3 = v3 * a + b;
    v4 = v4 * a + b;
    v5 = v5 * a + b;
    v6 = v6 * a + b;
    v7 = v7 * a + b;
  }
  y[id.x] = v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7;
}
