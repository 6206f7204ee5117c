// UᵀU of a matrix of ROWS × OB·4, which is columns of one of WB·4, from block
// FIRST on. A thread makes 4×4 sums. Workgroup 8×8.
//# bind write u array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params ROWS WB FIRST OB

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.OB || id.y >= p.OB) { return; }
  var s: array<vec4<f32>, 4>;
  for (var k = 0u; k < p.ROWS; k++) {
    let a = u[k * p.WB + p.FIRST + id.y];
    let b = u[k * p.WB + p.FIRST + id.x];
    //# for R 4
    s[{{R}}] += a[{{R}}] * b;
    //# end
  }
  //# for R 4
  y[(4u * id.y + {{R}}u) * p.OB + id.x] = s[{{R}}];
  //# end
}
