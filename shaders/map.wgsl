// Read and Write with nothing between (plan.Map); see read.wgsl and write.wgsl.
// A thread makes one block of four channels of one pixel; the third dimension
// is the sample. Workgroup 64.
//# include store
//# include read
//# include write
//# params IH IW CB CB0 OH OW OB

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.OH * p.OW) { return; }
  emit(id.z, id.y, id.x, resampled(id.z, id.y, id.x / p.OW, id.x % p.OW));
}
