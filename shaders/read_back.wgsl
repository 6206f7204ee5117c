// The gradient by one of the tensors that a Read concatenates (plan.ReadBack):
// OB blocks from block FIRST of CB on, see unread.wgsl. With ADD it comes on top
// of what is there. A thread makes one block of one pixel; the third dimension
// is the sample. Workgroup 64.
//# include unread
//# bind write y array<vec4<f32>>
//# params IH IW CB CB0 FIRST OB

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let area = p.IH * p.IW;
  if (id.x >= area) { return; }
  let block = p.FIRST + id.y;
  var v = unread(id.z, block, id.x);
  //# if AFFINE
  v *= affine[id.z * 2u * p.CB + block];
  //# end
  let to = (id.z * p.OB + id.y) * area + id.x;
  //# if ADD
  v += y[to];
  //# end
  y[to] = v;
}
