// The memory roof: 4·STRIDE vectors are copied, four a thread, STRIDE
// apart. Workgroup 256.
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  STRIDE: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  y[id.x + 0u * p.STRIDE] = x[id.x + 0u * p.STRIDE];
  y[id.x + 1u * p.STRIDE] = x[id.x + 1u * p.STRIDE];
  y[id.x + 2u * p.STRIDE] = x[id.x + 2u * p.STRIDE];
  y[id.x + 3u * p.STRIDE] = x[id.x + 3u * p.STRIDE];
}
