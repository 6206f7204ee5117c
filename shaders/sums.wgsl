// Sums over the pixels of a block: of every sample for itself (plan.SumBack), or
// with ALL of N samples together (the gradient by a bias). With ADD they come on
// top of what is there. A workgroup of 64 makes one sum.
//# bind write x array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params N CB AREA

var<workgroup> parts: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  var s = vec4<f32>(0.0);
  //# if ALL
  for (var n = 0u; n < p.N; n++) {
  //# else
  {
    let n = group.y;
  //# end
    let plane = (n * p.CB + group.x) * p.AREA;
    for (var i = lid; i < p.AREA; i += 64u) { s += x[plane + i]; }
  }
  parts[lid] = s;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { parts[lid] += parts[lid + half]; }
    workgroupBarrier();
  }
  if (lid == 0u) {
    let to = group.y * p.CB + group.x;
    //# if ADD
    y[to] += parts[0];
    //# else
    y[to] = parts[0];
    //# end
  }
}
