// softmax(q·kᵀ/√d)·v of one head in one pass (plan.Attention): keys come by
// fours of KEYS through workgroup memory, and a thread keeps the highest sum so
// far, the total and the weighted values of a query, rescaled when a higher sum
// comes (online softmax). No T×T matrix is stored. A head has LANES·D blocks of
// four channels, which LANES threads share; a workgroup of 64 takes 64/LANES
// queries. Head h begins at block h·STEP; its q, k and v at Q, K and V further.
// Grid: queries, heads, samples.
//# include store
//# bind write qkv array<T>
//# bind write y array<T>
//# params T CB OB STEP QAT KAT VAT f:SCALE

var<workgroup> keys: array<vec4<f32>, {{KEYS * LANES * D}}>;
var<workgroup> values: array<vec4<f32>, {{KEYS * LANES * D}}>;
//# if LANES > 1
var<workgroup> parts: array<vec4<f32>, 64>;
//# end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let lane = lid / {{64 / LANES}}u;
  let query = group.x * {{64 / LANES}}u + lid % {{64 / LANES}}u;
  let base = (group.z * p.CB + group.y * p.STEP) * p.T;
  let mine = lane * {{D}}u;
  let clamped = min(query, p.T - 1u);
  //# for i D
  let q{{i}} = p.SCALE * widen(qkv[base + (p.QAT + mine + {{i}}u) * p.T + clamped]);
  var o{{i}} = vec4<f32>(0.0);
  //# end
  var top = -1e30;
  var total = 0.0;
  for (var start = 0u; start < p.T; start += {{KEYS}}u) {
    for (var i = lid; i < {{KEYS * LANES * D}}u; i += 64u) {
      let key = min(start + i % {{KEYS}}u, p.T - 1u);
      keys[i] = widen(qkv[base + (p.KAT + i / {{KEYS}}u) * p.T + key]);
      values[i] = widen(qkv[base + (p.VAT + i / {{KEYS}}u) * p.T + key]);
    }
    workgroupBarrier();
    for (var k = 0u; k < {{KEYS}}u; k += 4u) {
      let at = mine * {{KEYS}}u + k;
      //# for j 4
      var s{{j}} = 0.0;
      //# for i D
      s{{j}} += dot(q{{i}}, keys[at + {{i * KEYS + j}}u]);
      //# end
      //# end
      //# if LANES > 1
      parts[lid] = vec4<f32>(s0, s1, s2, s3);
      workgroupBarrier();
      var sum = vec4<f32>(0.0);
      //# for l LANES
      sum += parts[lid % {{64 / LANES}}u + {{l * (64 / LANES)}}u];
      //# end
      workgroupBarrier();
      //# else
      var sum = vec4<f32>(s0, s1, s2, s3);
      //# end
      let known = vec4<u32>(start + k) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.T);
      sum = select(vec4<f32>(-1e30), sum, known);
      let higher = max(top, max(max(sum.x, sum.y), max(sum.z, sum.w)));
      let keep = exp(top - higher);
      let share = select(vec4<f32>(0.0), exp(sum - higher), known);
      top = higher;
      total = total * keep + share.x + share.y + share.z + share.w;
      //# for i D
      o{{i}} = o{{i}} * keep + share.x * values[at + {{i * KEYS}}u] + share.y * values[at + {{i * KEYS + 1}}u] + share.z * values[at + {{i * KEYS + 2}}u] + share.w * values[at + {{i * KEYS + 3}}u];
      //# end
    }
    workgroupBarrier();
  }
  if (query < p.T) {
    let to = (group.z * p.OB + group.y * {{LANES * D}}u + mine) * p.T + query;
    //# for i D
    y[to + {{i}}u * p.T] = narrow(o{{i}} / total);
    //# end
  }
}
