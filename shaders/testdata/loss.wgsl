// The loss and its gradient by the network's output y, of C channels in OB
// blocks: with d = mask·(y − label),
//
//   loss = Σ weight·d²,           seed = 2·weight·mask·d        where ε is 0,
//   loss = Σ weight·(√(d²+ε²)−ε), seed = weight·mask·d/√(d²+ε²)  elsewhere
//
// label is planar, mask has a value a pixel, weight one a sample and its ε. Every
// workgroup of 64 pixels of a block writes its share of the loss. Grid: pixels,
// blocks, samples.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> label: array<f32>;
@group(0) @binding(2) var<storage, read_write> mask: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> seed: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> shares: array<f32>;
struct Params {
  C: u32,
  OB: u32,
  AREA: u32,
}
@group(0) @binding(6) var<uniform> p: Params;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) size: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let at = group.x * 64u + lid;
  var share = 0.0;
  if (at < p.AREA) {
    let m = mask[group.z * p.AREA + at];
    let w = weight[group.z].x;
    let e = weight[group.z].y;
    let i = (group.z * p.OB + group.y) * p.AREA + at;
    var d = vec4<f32>(0.0);
    let c = 4u * group.y;
    let from_ = (group.z * p.C + c) * p.AREA + at;
    if (c + 0u < p.C) { d[0] = m * (x[i][0] - label[from_ + 0u * p.AREA]); }
    if (c + 1u < p.C) { d[1] = m * (x[i][1] - label[from_ + 1u * p.AREA]); }
    if (c + 2u < p.C) { d[2] = m * (x[i][2] - label[from_ + 2u * p.AREA]); }
    if (c + 3u < p.C) { d[3] = m * (x[i][3] - label[from_ + 3u * p.AREA]); }
    if (e > 0.0) {
      let root = sqrt(d * d + e * e);
      share = w * dot(root - e, vec4<f32>(1.0));
      seed[i] = w * m * d / root;
    } else {
      share = w * dot(d, d);
      seed[i] = 2.0 * w * m * d;
    }
  }
  parts[lid] = share;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) { parts[lid] += parts[lid + half]; }
    workgroupBarrier();
  }
  if (lid == 0u) { shares[(group.z * size.y + group.y) * size.x + group.x] = parts[0]; }
}
