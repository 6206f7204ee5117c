// softmax(q·kᵀ/√d)·v of one head in one pass (plan.Attention): keys come by
// fours of KEYS through workgroup memory, and a thread keeps the highest sum so
// far, the total and the weighted values of a query, rescaled when a higher sum
// comes (online softmax). No T×T matrix is stored. A head has LANES·D blocks of
// four channels, which LANES threads share; a workgroup of 64 takes 64/LANES
// queries. Head h begins at block h·STEP; its q, k and v at Q, K and V further.
// Grid: queries, heads, samples.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec2<u32>;
fn widen(v: T) -> vec4<f32> { return vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y)); }
fn narrow(v: vec4<f32>) -> T {
  let c = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  return T(pack2x16float(c.xy), pack2x16float(c.zw));
}
@group(0) @binding(0) var<storage, read_write> qkv: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
struct Params {
  T: u32,
  CB: u32,
  OB: u32,
  STEP: u32,
  QAT: u32,
  KAT: u32,
  VAT: u32,
  SCALE: f32,
}
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> keys: array<vec4<f32>, 128>;
var<workgroup> values: array<vec4<f32>, 128>;
var<workgroup> parts: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let lane = lid / 16u;
  let query = group.x * 16u + lid % 16u;
  let base = (group.z * p.CB + group.y * p.STEP) * p.T;
  let mine = lane * 2u;
  let clamped = min(query, p.T - 1u);
  let q0 = p.SCALE * widen(qkv[base + (p.QAT + mine + 0u) * p.T + clamped]);
  var o0 = vec4<f32>(0.0);
  let q1 = p.SCALE * widen(qkv[base + (p.QAT + mine + 1u) * p.T + clamped]);
  var o1 = vec4<f32>(0.0);
  var top = -1e30;
  var total = 0.0;
  for (var start = 0u; start < p.T; start += 16u) {
    for (var i = lid; i < 128u; i += 64u) {
      let key = min(start + i % 16u, p.T - 1u);
      keys[i] = widen(qkv[base + (p.KAT + i / 16u) * p.T + key]);
      values[i] = widen(qkv[base + (p.VAT + i / 16u) * p.T + key]);
    }
    workgroupBarrier();
    for (var k = 0u; k < 16u; k += 4u) {
      let at = mine * 16u + k;
      var s0 = 0.0;
      s0 += dot(q0, keys[at + 0u]);
      s0 += dot(q1, keys[at + 16u]);
      var s1 = 0.0;
      s1 += dot(q0, keys[at + 1u]);
      s1 += dot(q1, keys[at + 17u]);
      var s2 = 0.0;
      s2 += dot(q0, keys[at + 2u]);
      s2 += dot(q1, keys[at + 18u]);
      var s3 = 0.0;
      s3 += dot(q0, keys[at + 3u]);
      s3 += dot(q1, keys[at + 19u]);
      parts[lid] = vec4<f32>(s0, s1, s2, s3);
      workgroupBarrier();
      var sum = vec4<f32>(0.0);
      sum += parts[lid % 16u + 0u];
      sum += parts[lid % 16u + 16u];
      sum += parts[lid % 16u + 32u];
      sum += parts[lid % 16u + 48u];
      workgroupBarrier();
      let known = vec4<u32>(start + k) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.T);
      sum = select(vec4<f32>(-1e30), sum, known);
      let higher = max(top, max(max(sum.x, sum.y), max(sum.z, sum.w)));
      let keep = exp(top - higher);
      let share = select(vec4<f32>(0.0), exp(sum - higher), known);
      top = higher;
      total = total * keep + share.x + share.y + share.z + share.w;
      o0 = o0 * keep + share.x * values[at + 0u] + share.y * values[at + 1u] + share.z * values[at + 2u] + share.w * values[at + 3u];
      o1 = o1 * keep + share.x * values[at + 16u] + share.y * values[at + 17u] + share.z * values[at + 18u] + share.w * values[at + 19u];
    }
    workgroupBarrier();
  }
  if (query < p.T) {
    let to = (group.z * p.OB + group.y * 8u + mine) * p.T + query;
    y[to + 0u * p.T] = narrow(o0 / total);
    y[to + 1u * p.T] = narrow(o1 / total);
  }
}
