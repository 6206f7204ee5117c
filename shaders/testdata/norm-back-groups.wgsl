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
@group(0) @binding(0) var<storage, read_write> moments: array<f32>;
@group(0) @binding(1) var<storage, read_write> d: array<f32>;
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read_write> time: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
struct Params {
  C: u32,
  ALL: u32,
  PER: u32,
  AREA: u32,
  RUN: u32,
  RUNS: u32,
  EPS: f32,
}
@group(0) @binding(6) var<uniform> p: Params;

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
    let e = group.y * ((2u * p.C + 3u) / 4u * 4u) + c;
    more += time[e];
    let k = gamma[c] * more;
    s += vec2<f32>(-b * rstd * k, (a - b * mean) * k);
  }
  if (group.x == p.C / p.PER - 1u) { // lanes beyond the channels are zeros
  }
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
}
