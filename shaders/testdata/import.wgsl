// A planar tensor, N × C × AREA floats, in blocks of four channels (store.wgsl).
// A thread makes one block of one pixel; the third dimension is the sample.
// Workgroup 64.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
@group(0) @binding(0) var<storage, read_write> planar: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
struct Params {
  C: u32,
  OB: u32,
  AREA: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

fn pick(n: u32, channel: u32, at: u32) -> f32 {
  if (channel >= p.C) { return 0.0; }
  return planar[(n * p.C + channel) * p.AREA + at];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.AREA) { return; }
  let c = 4u * id.y;
  y[(id.z * p.OB + id.y) * p.AREA + id.x] = narrow(vec4<f32>(pick(id.z, c, id.x), pick(id.z, c + 1u, id.x), pick(id.z, c + 2u, id.x), pick(id.z, c + 3u, id.x)));
}
