// A window's share of x̂0: x̂0 += wy·wx·clip(x − σ·net), for one channel of
// pictures whose rows are PITCH floats apart. SHARE is σ, then the weights of the
// window's rows, from WY on, and of its columns, from WX on. The window's rows lie
// from AT on in the picture and from X0_AT on in x̂0. A thread makes one float.
// Workgroup 64.
@group(0) @binding(0) var<storage, read_write> picture: array<f32>;
@group(0) @binding(1) var<storage, read_write> planar: array<f32>;
@group(0) @binding(2) var<storage, read_write> x0: array<f32>;
@group(0) @binding(3) var<storage, read_write> share: array<f32>;
struct Params {
  PITCH: u32,
  AT: u32,
  X0_AT: u32,
  COLS: u32,
  FROM: u32,
  WY: u32,
  WX: u32,
  CLIP: u32,
}
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.COLS) { return; }
  let at = p.AT + id.y * p.PITCH + id.x;
  var v = picture[at] - share[0] * planar[p.FROM + id.y * p.COLS + id.x];
  if (p.CLIP != 0u) { v = clamp(v, -1.0, 1.0); }
  x0[p.X0_AT + id.y * p.PITCH + id.x] += share[p.WY + id.y] * share[p.WX + id.x] * v;
}
