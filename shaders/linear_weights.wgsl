// Adds to the gradient by a linear layer's weights (plan.ParamBack):
// w[c, o] += Σ x[n, c]·d[n, o] over N samples, SiLU first if x went through it.
// The weights are the piece of WB blocks from O0 on. A thread makes one block of
// one row of CB·4. Workgroup 64.
//# bind write x array<f32>
//# bind write d array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params N CB O0 OB WB

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.WB) { return; }
  var s = vec4<f32>(0.0);
  for (var n = 0u; n < p.N; n++) {
    var v = x[n * 4u * p.CB + id.y];
    //# if SILU
    v = v / (1.0 + exp(min(-v, 80.0)));
    //# end
    s += v * d[n * p.OB + p.O0 + id.x];
  }
  y[id.y * p.WB + id.x] += s;
}
