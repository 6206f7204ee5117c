// The moments of a group's channels and runs, joined (Chan et al.): a workgroup
// of 64 takes the PER channels from first on of one sample, of ALL blocks, in
// RUNS runs of RUN pixels of AREA, as moments.wgsl has made them. The result is
// their count, mean and squared deviations.
var<workgroup> joined: array<vec4<f32>, 64>;

fn join(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let n = a.x + b.x;
  if (n == 0.0) { return a; }
  let d = b.y - a.y;
  return vec4<f32>(n, a.y + d * (b.x / n), a.z + b.z + d * d * (a.x * (b.x / n)), 0.0);
}

fn statistics(sample: u32, first: u32, lid: u32) -> vec4<f32> {
  var all = vec4<f32>(0.0);
  for (var i = lid; i < p.PER * p.RUNS; i += 64u) {
    let c = first + i / p.RUNS;
    let r = i % p.RUNS;
    let at = 8u * ((sample * p.ALL + c / 4u) * p.RUNS + r) + c % 4u;
    all = join(all, vec4<f32>(f32(min(p.RUN, p.AREA - r * p.RUN)), moments[at], moments[at + 4u], 0.0));
  }
  joined[lid] = all;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { joined[lid] = join(joined[lid], joined[lid + half]); }
    workgroupBarrier();
  }
  return joined[0];
}
