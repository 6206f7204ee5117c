// A window of one channel of a picture whose rows are PITCH floats apart, to
// rows of COLS floats. A thread copies one float. Workgroup 64.
//# bind write picture array<f32>
//# bind write planar array<f32>
//# params PITCH FROM COLS TO

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.COLS) { return; }
  planar[p.TO + id.y * p.COLS + id.x] = picture[p.FROM + id.y * p.PITCH + id.x];
}
