// The gradient by a Read's scales, Σ d·x over the pixels, and by its shifts, Σ d
// (plan.AffineBack), d being led back as unread.wgsl says; N × 2·CB blocks. With
// ADD they come on top of what is there. A workgroup of 64 makes one block of
// one sample.
//# include unread
//# bind write y array<vec4<f32>>
//# params IH IW CB CB0

var<workgroup> scales: array<vec4<f32>, 64>;
var<workgroup> shifts: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  var s = vec4<f32>(0.0);
  var t = vec4<f32>(0.0);
  for (var i = lid; i < p.IH * p.IW; i += 64u) {
    let v = unread(group.y, group.x, i);
    s += v * raw(group.y, group.x, i);
    t += v;
  }
  scales[lid] = s;
  shifts[lid] = t;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) {
      scales[lid] += scales[lid + half];
      shifts[lid] += shifts[lid + half];
    }
    workgroupBarrier();
  }
  if (lid == 0u) {
    let to = group.y * 2u * p.CB + group.x;
    //# if ADD
    y[to] += scales[0];
    y[to + p.CB] += shifts[0];
    //# else
    y[to] = scales[0];
    y[to + p.CB] = shifts[0];
    //# end
  }
}
