// The arithmetic roof: every thread does ROUNDS × 32 multiply-adds of vectors of
// four in eight chains that do not wait for each other. Workgroup 256.
//# bind write y array<vec4<f32>>
//# params ROUNDS f:A f:B

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let a = vec4<f32>(p.A);
  let b = vec4<f32>(p.B);
  //# for k 8
  var v{{k}} = vec4<f32>(f32(id.x + {{k}}u));
  //# end
  for (var i = 0u; i < p.ROUNDS; i++) {
    //# for r 4
    //# for k 8
    v{{k}} = v{{k}} * a + b;
    //# end
    //# end
  }
  y[id.x] = v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7;
}
