// The gradient by one of the tensors that a Read concatenates (plan.ReadBack):
// OB blocks from block FIRST of CB on, see unread.wgsl. With ADD it comes on top
// of what is there. A thread makes one block of one pixel; the third dimension
// is the sample. Workgroup 64.
// The way back through what read.wgsl does: d, of DB blocks, is the gradient by
// what a Read gives, and unread leads it to the Read's scaled and shifted input,
// through the resampling and the slope of SiLU. x0 and x1 are what was read,
// affine lies as in read.wgsl.
@group(0) @binding(0) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> x0: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> x1: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> affine: array<vec4<f32>>;

fn raw(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  if (block >= p.CB0) { return x1[(n * (p.CB - p.CB0) + block - p.CB0) * area + at]; }
  return x0[(n * p.CB0 + block) * area + at];
}

fn unread(n: u32, block: u32, at: u32) -> vec4<f32> {
  let plane = n * p.CB + block;
  let row = at / p.IW;
  let col = at % p.IW;
  var v = 0.25 * d[(plane * (p.IH / 2u) + row / 2u) * (p.IW / 2u) + col / 2u];
  var z = raw(n, block, at);
  let a = n * 2u * p.CB + block;
  z = z * affine[a] + affine[a + p.CB];
  let s = 1.0 / (1.0 + exp(min(-z, vec4<f32>(80.0))));
  v *= s * (1.0 + z * (1.0 - s));
  return v;
}
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  IH: u32,
  IW: u32,
  CB: u32,
  CB0: u32,
  FIRST: u32,
  OB: u32,
}
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let area = p.IH * p.IW;
  if (id.x >= area) { return; }
  let block = p.FIRST + id.y;
  var v = unread(id.z, block, id.x);
  v *= affine[id.z * 2u * p.CB + block];
  let to = (id.z * p.OB + id.y) * area + id.x;
  v += y[to];
  y[to] = v;
}
