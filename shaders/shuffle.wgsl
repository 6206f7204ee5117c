// Channels put elsewhere, for tensors whose channels do not lie on whole blocks:
// channel c of y is channel table[c] of x0, or of x1 if the highest bit is set,
// or zero if all are. A thread makes one block of one pixel; the third dimension
// is the sample. Workgroup 64.
//# include store
//# bind write x0 array<T>
//# if CONCAT
//# bind write x1 array<T>
//# end
//# bind read table array<u32>
//# bind write y array<T>
//# params AREA CB0 CB1 OB

fn pick(n: u32, channel: u32, at: u32) -> f32 {
  let from_ = table[channel];
  if (from_ == 0xffffffffu) { return 0.0; }
  //# if CONCAT
  if (from_ >= 0x80000000u) {
    let c = from_ & 0x7fffffffu;
    return widen(x1[(n * p.CB1 + c / 4u) * p.AREA + at])[c % 4u];
  }
  //# end
  return widen(x0[(n * p.CB0 + from_ / 4u) * p.AREA + at])[from_ % 4u];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.AREA) { return; }
  let c = 4u * id.y;
  y[(id.z * p.OB + id.y) * p.AREA + id.x] = narrow(vec4<f32>(pick(id.z, c, id.x), pick(id.z, c + 1u, id.x), pick(id.z, c + 2u, id.x), pick(id.z, c + 3u, id.x)));
}
