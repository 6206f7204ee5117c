// The gradient by one of the tensors that a Read concatenates (plan.ReadBack):
// OB blocks from block FIRST of CB on, see unread.wgsl. With ADD it comes on top
// of what is there. A thread makes one block of one pixel; the third dimension
// is the sample. Workgroup 64.
// The way back through what read.wgsl does: d, of DB blocks, is the gradient by
// what a Read gives, and unread leads it to the Read's scaled and shifted input,
// through the resampling and the slope of SiLU. x0 and x1 are what was read,
// affine lies as in read.wgsl.
@group(0) @binding(0) var<storage, read_write> d: array<vec4<f32>>;


fn unread(n: u32, block: u32, at: u32) -> vec4<f32> {
  let plane = n * p.CB + block;
  let row = at / p.IW;
  let col = at % p.IW;
  let from_ = (plane * 2u * p.IH + 2u * row) * 2u * p.IW + 2u * col;
  var v = d[from_] + d[from_ + 1u] + d[from_ + 2u * p.IW] + d[from_ + 2u * p.IW + 1u];
  return v;
}
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  IH: u32,
  IW: u32,
  CB: u32,
  CB0: u32,
  FIRST: u32,
  OB: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let area = p.IH * p.IW;
  if (id.x >= area) { return; }
  let block = p.FIRST + id.y;
  var v = unread(id.z, block, id.x);
  let to = (id.z * p.OB + id.y) * area + id.x;
  y[to] = v;
}
