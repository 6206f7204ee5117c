// The gradient by what a linear layer reads (plan.LinearBack): Σ d[o]·w[c, o],
// times the slope of SiLU if x went through it. The weights are the piece of WB
// blocks from O0 on; with ADD the sum comes on top of what is there. A thread
// makes one channel of one sample. Workgroup 64.
//# bind write d array<vec4<f32>>
//# bind read w array<vec4<f32>>
//# if SILU
//# bind write x array<f32>
//# end
//# bind write y array<f32>
//# params CB O0 OB WB

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let c = id.x;
  if (c >= 4u * p.CB) { return; }
  var v = 0.0;
  for (var o = 0u; o < p.WB; o++) { v += dot(d[id.y * p.OB + p.O0 + o], w[c * p.WB + o]); }
  let at = id.y * 4u * p.CB + c;
  //# if SILU
  let z = x[at];
  let s = 1.0 / (1.0 + exp(min(-z, 80.0)));
  v *= s * (1.0 + z * (1.0 - s));
  //# end
  //# if ADD
  y[at] += v;
  //# else
  y[at] = v;
  //# end
}
