// The gradient by a Read's scales, Σ d·x over the pixels, and by its shifts, Σ d
// (plan.AffineBack), d being led back as unread.wgsl says; N × 2·CB blocks. With
// ADD they come on top of what is there. A workgroup of 64 makes one block of
// one sample.
// The way back through what read.wgsl does: d, of DB blocks, is the gradient by
// what a Read gives, and unread leads it to the Read's scaled and shifted input,
// through the resampling and the slope of SiLU. x0 and x1 are what was read,
// affine lies as in read.wgsl.
@group(0) @binding(0) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> x0: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> affine: array<vec4<f32>>;

fn raw(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  return x0[(n * p.CB + block) * area + at];
}

fn unread(n: u32, block: u32, at: u32) -> vec4<f32> {
  let plane = n * p.CB + block;
  let row = at / p.IW;
  let col = at % p.IW;
  var v = d[plane * p.IH * p.IW + at];
  return v;
}
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  IH: u32,
  IW: u32,
  CB: u32,
  CB0: u32,
}
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> scales: array<vec4<f32>, 64>;
var<workgroup> shifts: array<vec4<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  var s = vec4<f32>(0.0);
  var t = vec4<f32>(0.0);
  for (var i = lid; i < p.IH * p.IW; i += 64u) {
    let v = unread(group.y, group.x, i);
    s += v * raw(group.y, group.x, i);
    t += v;
  }
  scales[lid] = s;
  shifts[lid] = t;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lid < half) {
      scales[lid] += scales[lid + half];
      shifts[lid] += shifts[lid + half];
    }
    workgroupBarrier();
  }
  if (lid == 0u) {
    let to = group.y * 2u * p.CB + group.x;
    y[to] = scales[0];
    y[to + p.CB] = shifts[0];
  }
}
