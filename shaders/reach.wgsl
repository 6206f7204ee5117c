// Whether a shader reaches all of a binding: VALUE goes to the first and the
// last of its COUNT words. Workgroup 1.
//# bind write y array<u32>
//# params COUNT VALUE

@compute @workgroup_size(1)
fn main() {
  y[0] = p.VALUE;
  y[p.COUNT - 1u] = p.VALUE;
}
