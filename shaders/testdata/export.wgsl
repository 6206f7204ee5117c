// A tensor in blocks of four channels (store.wgsl) as planar floats, N × C ×
// AREA. A thread takes one block of one pixel; the third dimension is the
// sample. Workgroup 64.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec2<u32>;
fn widen(v: T) -> vec4<f32> { return vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y)); }
fn narrow(v: vec4<f32>) -> T {
  let c = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  return T(pack2x16float(c.xy), pack2x16float(c.zw));
}
@group(0) @binding(0) var<storage, read_write> x: array<T>;
@group(0) @binding(1) var<storage, read_write> planar: array<f32>;
struct Params {
  C: u32,
  CB: u32,
  AREA: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.AREA) { return; }
  let v = widen(x[(id.z * p.CB + id.y) * p.AREA + id.x]);
  let c = 4u * id.y;
  let to = (id.z * p.C + c) * p.AREA + id.x;
  if (c + 0u < p.C) { planar[to + 0u * p.AREA] = v[0]; }
  if (c + 1u < p.C) { planar[to + 1u * p.AREA] = v[1]; }
  if (c + 2u < p.C) { planar[to + 2u * p.AREA] = v[2]; }
  if (c + 3u < p.C) { planar[to + 3u * p.AREA] = v[3]; }
}
