// The memory roof: 4·STRIDE vectors are copied, four a thread, STRIDE
// apart. Workgroup 256.
//# bind read x array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params STRIDE

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  //# for i 4
  y[id.x + {{i}}u * p.STRIDE] = x[id.x + {{i}}u * p.STRIDE];
  //# end
}
