// Whether a shader reaches all of a binding: VALUE goes to the first and the
// last of its COUNT words. Workgroup 1.
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
struct Params {
  COUNT: u32,
  VALUE: u32,
}
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(1)
fn main() {
  y[0] = p.VALUE;
  y[p.COUNT - 1u] = p.VALUE;
}
