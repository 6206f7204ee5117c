// The second stage of GroupNorm: the moments of a group's channels and runs are
// joined (Chan et al.), and with γ, β and the time step's scale and shift become
// one scale and one shift per channel (plan.Norm), N × 2·ALL blocks. A workgroup
// of 64 takes one group of PER channels. Channels beyond C get zeros.
//# bind write moments array<f32>
//# bind read gamma array<f32>
//# bind read beta array<f32>
//# if SCALE
//# bind write time array<f32>
//# end
//# bind write affine array<f32>
//# params C ALL PER AREA RUN RUNS f:EPS

//# include joined

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let first = group.x * p.PER;
  let joint = statistics(group.y, first, lid);
  let mean = joint.y;
  let deviation = inverseSqrt(joint.z / joint.x + p.EPS);
  var last = first + p.PER;
  if (last == p.C) { last = 4u * p.ALL; }
  for (var c = first + lid; c < last; c += 64u) {
    var scale = 0.0;
    var shift = 0.0;
    if (c < p.C) {
      scale = deviation * gamma[c];
      shift = beta[c] - mean * scale;
      //# if SCALE
      let e = group.y * ((2u * p.C + 3u) / 4u * 4u) + c;
      scale *= 1.0 + time[e];
      shift = shift * (1.0 + time[e]) + time[e + p.C];
      //# end
    }
    let to = group.y * 8u * p.ALL + c;
    affine[to] = scale;
    affine[to + 4u * p.ALL] = shift;
  }
}
