// The way back of norm.wgsl, from the gradient d by its scales and shifts. With
//
//   a, b = gradient by a channel's scale and shift,  k = γ·(1+s)
//   scale = rstd·k,  shift = (β − mean·rstd·γ)·(1+s) + t
//
// a group's statistics get drstd = Σ (a − b·mean)·k and dmean = −Σ b·rstd·k.
// OUT says what is made: 0, for norm_input.wgsl, (mean, rstd, dmean/m,
// drstd·rstd³/m) of every group and sample, m being the elements of a group; 1,
// the gradients by s and t; 2, those by γ and β, of every sample for itself, as
// N × 2·ALL blocks. A workgroup of 64 takes one group of PER channels of one
// sample.
//# bind write moments array<f32>
//# bind write d array<f32>
//# bind read gamma array<f32>
//# bind read beta array<f32>
//# if SCALE
//# bind write time array<f32>
//# end
//# bind write y array<f32>
//# params C ALL PER AREA RUN RUNS f:EPS

//# include joined

var<workgroup> sums: array<vec2<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let first = group.x * p.PER;
  let joint = statistics(group.y, first, lid);
  let mean = joint.y;
  let rstd = inverseSqrt(joint.z / joint.x + p.EPS);
  var s = vec2<f32>(0.0);
  for (var c = first + lid; c < first + p.PER; c += 64u) {
    let at = group.y * 8u * p.ALL + c;
    let a = d[at];
    let b = d[at + 4u * p.ALL];
    var more = 1.0;
    //# if SCALE
    let e = group.y * ((2u * p.C + 3u) / 4u * 4u) + c;
    more += time[e];
    //# end
    //# if OUT == 0
    let k = gamma[c] * more;
    s += vec2<f32>(-b * rstd * k, (a - b * mean) * k);
    //# end
    //# if OUT == 1
    let s0 = (a - b * mean) * rstd * gamma[c] + b * beta[c];
    //# if ADD
    y[e] += s0;
    y[e + p.C] += b;
    //# else
    y[e] = s0;
    y[e + p.C] = b;
    //# end
    //# end
    //# if OUT == 2
    y[at] = (a - b * mean) * rstd * more;
    y[at + 4u * p.ALL] = b * more;
    //# end
  }
  if (group.x == p.C / p.PER - 1u) { // lanes beyond the channels are zeros
    //# if OUT == 1 && !ADD
    if (lid < (4u - 2u * p.C % 4u) % 4u) { y[group.y * ((2u * p.C + 3u) / 4u * 4u) + 2u * p.C + lid] = 0.0; }
    //# end
    //# if OUT == 2
    if (lid < 4u * p.ALL - p.C) {
      y[group.y * 8u * p.ALL + p.C + lid] = 0.0;
      y[group.y * 8u * p.ALL + 4u * p.ALL + p.C + lid] = 0.0;
    }
    //# end
  }
  //# if OUT == 0
  sums[lid] = s;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { sums[lid] += sums[lid + half]; }
    workgroupBarrier();
  }
  if (lid == 0u) {
    let to = 4u * (group.y * (p.C / p.PER) + group.x);
    y[to] = mean;
    y[to + 1u] = rstd;
    y[to + 2u] = sums[0].x / joint.x;
    y[to + 3u] = sums[0].y * rstd * rstd * rstd / joint.x;
  }
  //# end
}
