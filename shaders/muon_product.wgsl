// DIAGONAL·I + PLAIN·A + TIMES·A·B of square matrices of OB·4; with SQUARE, B is
// A, which cannot be bound twice. A thread makes 4×4 elements. Workgroup 8×8.
//# bind write a array<vec4<f32>>
//# if !SQUARE
//# bind write b array<vec4<f32>>
//# end
//# bind write y array<vec4<f32>>
//# params OB f:DIAGONAL f:PLAIN f:TIMES

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.OB || id.y >= p.OB) { return; }
  let row = 4u * id.y * p.OB;
  var s: array<vec4<f32>, 4>;
  for (var q = 0u; q < p.OB; q++) {
    let at = 4u * q * p.OB + id.x;
    //# if SQUARE
    let m = mat4x4<f32>(a[at], a[at + p.OB], a[at + 2u * p.OB], a[at + 3u * p.OB]);
    //# else
    let m = mat4x4<f32>(b[at], b[at + p.OB], b[at + 2u * p.OB], b[at + 3u * p.OB]);
    //# end
    //# for R 4
    s[{{R}}] += m * a[row + {{R}}u * p.OB + q];
    //# end
  }
  //# for R 4
  {
    var v = p.TIMES * s[{{R}}] + p.PLAIN * a[row + {{R}}u * p.OB + id.x];
    if (id.x == id.y) { v[{{R}}] += p.DIAGONAL; }
    y[row + {{R}}u * p.OB + id.x] = v;
  }
  //# end
}
