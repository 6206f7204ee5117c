// A tensor in blocks of four channels (store.wgsl) as planar floats, N × C ×
// AREA. A thread takes one block of one pixel; the third dimension is the
// sample. Workgroup 64.
//# include store
//# bind write x array<T>
//# bind write planar array<f32>
//# params C CB AREA

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.AREA) { return; }
  let v = widen(x[(id.z * p.CB + id.y) * p.AREA + id.x]);
  let c = 4u * id.y;
  let to = (id.z * p.C + c) * p.AREA + id.x;
  //# for i 4
  if (c + {{i}}u < p.C) { planar[to + {{i}}u * p.AREA] = v[{{i}}]; }
  //# end
}
