// Channels put elsewhere, for tensors whose channels do not lie on whole blocks:
// channel c of y is channel table[c] of x0, or of x1 if the highest bit is set,
// or zero if all are. A thread makes one block of one pixel; the third dimension
// is the sample. Workgroup 64.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
@group(0) @binding(0) var<storage, read_write> x0: array<T>;
@group(0) @binding(1) var<storage, read_write> x1: array<T>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
struct Params {
  AREA: u32,
  CB0: u32,
  CB1: u32,
  OB: u32,
}
@group(0) @binding(4) var<uniform> p: Params;

fn pick(n: u32, channel: u32, at: u32) -> f32 {
  let from_ = table[channel];
  if (from_ == 0xffffffffu) { return 0.0; }
  if (from_ >= 0x80000000u) {
    let c = from_ & 0x7fffffffu;
    return widen(x1[(n * p.CB1 + c / 4u) * p.AREA + at])[c % 4u];
  }
  return widen(x0[(n * p.CB0 + from_ / 4u) * p.AREA + at])[from_ % 4u];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.AREA) { return; }
  let c = 4u * id.y;
  y[(id.z * p.OB + id.y) * p.AREA + id.x] = narrow(vec4<f32>(pick(id.z, c, id.x), pick(id.z, c + 1u, id.x), pick(id.z, c + 2u, id.x), pick(id.z, c + 3u, id.x)));
}
