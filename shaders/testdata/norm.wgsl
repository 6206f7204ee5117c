// The second stage of GroupNorm: the moments of a group's channels and runs are
// joined (Chan et al.), and with γ, β and the time step's scale and shift become
// one scale and one shift per channel (plan.Norm), N × 2·ALL blocks. A workgroup
// of 64 takes one group of PER channels. Channels beyond C get zeros.
@group(0) @binding(0) var<storage, read_write> moments: array<f32>;
@group(0) @binding(1) var<storage, read> gamma: array<f32>;
@group(0) @binding(2) var<storage, read> beta: array<f32>;
@group(0) @binding(3) var<storage, read_write> time: array<f32>;
@group(0) @binding(4) var<storage, read_write> affine: array<f32>;
struct Params {
  C: u32,
  ALL: u32,
  PER: u32,
  AREA: u32,
  RUN: u32,
  RUNS: u32,
  EPS: f32,
}
@group(0) @binding(5) var<uniform> p: Params;

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
      let e = group.y * ((2u * p.C + 3u) / 4u * 4u) + c;
      scale *= 1.0 + time[e];
      shift = shift * (1.0 + time[e]) + time[e + p.C];
    }
    let to = group.y * 8u * p.ALL + c;
    affine[to] = scale;
    affine[to + 4u * p.ALL] = shift;
  }
}
