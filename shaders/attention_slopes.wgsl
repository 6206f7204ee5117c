// The way back of attention, second stage, row by row of attention_scores.wgsl:
//
//   P = softmax(scores),  dS = SCALE·P·(dP − Σ P·dP)
//
// where dP is in grads; P takes the place of the scores, dS that of dP. A
// workgroup of 64 takes one query of one pair.
//# bind write scores array<f32>
//# bind write grads array<f32>
//# params T QUERIES f:SCALE

var<workgroup> parts: array<vec2<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let row = (group.y * p.QUERIES + group.x) * p.T;
  var top = -1e30;
  for (var u = lid; u < p.T; u += 64u) { top = max(top, scores[row + u]); }
  parts[lid] = vec2<f32>(top, 0.0);
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { parts[lid] = max(parts[lid], parts[lid + half]); }
    workgroupBarrier();
  }
  top = parts[0].x;
  workgroupBarrier();
  var s = vec2<f32>(0.0);
  for (var u = lid; u < p.T; u += 64u) {
    let e = exp(scores[row + u] - top);
    scores[row + u] = e;
    s += vec2<f32>(e, e * grads[row + u]);
  }
  parts[lid] = s;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { parts[lid] += parts[lid + half]; }
    workgroupBarrier();
  }
  let total = parts[0].x;
  let mean = parts[0].y / total;
  for (var u = lid; u < p.T; u += 64u) {
    let e = scores[row + u] / total;
    scores[row + u] = e;
    grads[row + u] = p.SCALE * e * (grads[row + u] - mean);
  }
}
