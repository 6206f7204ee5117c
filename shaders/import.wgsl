// A planar tensor, N × C × AREA floats, in blocks of four channels (store.wgsl).
// A thread makes one block of one pixel; the third dimension is the sample.
// Workgroup 64.
//# include store
//# bind write planar array<f32>
//# bind write y array<T>
//# params C OB AREA

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
