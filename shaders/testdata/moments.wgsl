// Mean and sum of squared deviations of runs of RUN pixels, channel by channel:
// the first stage of GroupNorm. Sums are of differences from the run's first
// pixel, so that a large mean costs no digits. A workgroup of 64 takes a run of
// one block; moments are [sample][block][run] pairs of vectors, where this
// tensor's OWN blocks begin at FIRST of ALL.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
@group(0) @binding(0) var<storage, read_write> x: array<T>;
@group(0) @binding(1) var<storage, read_write> moments: array<vec4<f32>>;
struct Params {
  OWN: u32,
  ALL: u32,
  FIRST: u32,
  AREA: u32,
  RUN: u32,
  RUNS: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> sums: array<vec4<f32>, 64>;
var<workgroup> squares: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let plane = (group.z * p.OWN + group.y) * p.AREA;
  let start = group.x * p.RUN;
  let end = min(start + p.RUN, p.AREA);
  let first = widen(x[plane + start]);
  var s = vec4<f32>(0.0);
  var q = vec4<f32>(0.0);
  for (var i = start + lid; i < end; i += 64u) {
    let d = widen(x[plane + i]) - first;
    s += d;
    q += d * d;
  }
  sums[lid] = s;
  squares[lid] = q;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) {
      sums[lid] += sums[lid + half];
      squares[lid] += squares[lid + half];
    }
    workgroupBarrier();
  }
  if (lid == 0u) {
    let count = f32(end - start);
    let mean = sums[0] / count;
    let to = 2u * (((group.z * p.ALL) + p.FIRST + group.y) * p.RUNS + group.x);
    moments[to] = first + mean;
    moments[to + 1u] = max(squares[0] - sums[0] * mean, vec4<f32>(0.0));
  }
}
