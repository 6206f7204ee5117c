// A step of Muon, and of the moving average, over a matrix of ROWS × OB·4, which
// is columns of one of WB·4, from block FIRST on:
//
//   w = w·KEEP − RATE/√norm · U·Q,  average += FOLLOW·(w − average)
//
// U lies in the gradient's place, which is cleared when all have read it. A
// thread makes 4 rows of one block. Workgroup 8×8.
//# bind write u array<vec4<f32>>
//# bind write q array<vec4<f32>>
//# bind write norm array<f32>
//# bind write w array<vec4<f32>>
//# bind write average array<vec4<f32>>
//# params ROWS WB FIRST OB f:KEEP f:RATE f:FOLLOW

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.OB || 4u * id.y >= p.ROWS) { return; }
  let row = 4u * id.y * p.WB + p.FIRST;
  var s: array<vec4<f32>, 4>;
  for (var k = 0u; k < p.OB; k++) {
    let at = 4u * k * p.OB + id.x;
    let m = mat4x4<f32>(q[at], q[at + p.OB], q[at + 2u * p.OB], q[at + 3u * p.OB]);
    //# for R 4
    s[{{R}}] += m * u[row + {{R}}u * p.WB + k];
    //# end
  }
  let rate = p.RATE / sqrt(norm[0]);
  //# for R 4
  {
    let at = row + {{R}}u * p.WB + id.x;
    let v = p.KEEP * w[at] - rate * s[{{R}}];
    w[at] = v;
    average[at] += p.FOLLOW * (v - average[at]);
  }
  //# end
}
