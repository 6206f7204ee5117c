// The loss and its gradient by the network's output y, of C channels in OB
// blocks: with d = mask·(y − label),
//
//   loss = Σ weight·d²,           seed = 2·weight·mask·d        where ε is 0,
//   loss = Σ weight·(√(d²+ε²)−ε), seed = weight·mask·d/√(d²+ε²)  elsewhere
//
// label is planar, mask has a value a pixel, weight one a sample and its ε. Every
// workgroup of 64 pixels of a block writes its share of the loss. Grid: pixels,
// blocks, samples.
//# bind write x array<vec4<f32>>
//# bind write label array<f32>
//# bind write mask array<f32>
//# bind write weight array<vec2<f32>>
//# bind write seed array<vec4<f32>>
//# bind write shares array<f32>
//# params C OB AREA

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
    //# for i 4
    if (c + {{i}}u < p.C) { d[{{i}}] = m * (x[i][{{i}}] - label[from_ + {{i}}u * p.AREA]); }
    //# end
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
