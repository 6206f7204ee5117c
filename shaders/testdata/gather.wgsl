// A window of one channel of a picture whose rows are PITCH floats apart, to
// rows of COLS floats. A thread copies one float. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> picture: array<f32>;
@group(0) @binding(1) var<storage, read_write> planar: array<f32>;
struct Params {
  PITCH: u32,
  FROM: u32,
  COLS: u32,
  TO: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.COLS) { return; }
  planar[p.TO + id.y * p.COLS + id.x] = picture[p.FROM + id.y * p.PITCH + id.x];
}
