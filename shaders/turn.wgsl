// The weights that lead back through a convolution (plan.ConvBack): taps turned
// about the middle, inputs and outputs exchanged,
//
//   y[TAPS−1−tap, o, c] = w[tap, c, o]
//
// Both lie as weight.wgsl says; y has CO rows a tap and IB blocks a row, and w
// is the piece of WB blocks from O0 on. A thread makes a vector of y: a block of
// inputs, a row from 4·O0 on (ROWS of them, zeros beyond the piece), a tap.
// Workgroup 64.
//# bind read w array<f32>
//# bind write y array<vec4<f32>>
//# params CI WB CO IB TAPS O0 ROWS

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x / p.IB;
  if (row >= p.ROWS) { return; }
  let c = id.x % p.IB * 4u;
  var v = vec4<f32>(0.0);
  if (row < 4u * p.WB) {
    let at = (id.y * p.CI + c) * 4u * p.WB + row;
    v = vec4<f32>(w[at], w[at + 4u * p.WB], w[at + 8u * p.WB], w[at + 12u * p.WB]);
  }
  y[((p.TAPS - 1u - id.y) * p.CO + 4u * p.O0 + row) * p.IB + id.x % p.IB] = v;
}
