// y = x + table[label] (plan.Embed). The table is [classes][C] floats, vectors
// are OB blocks. A thread makes one channel of one sample. Workgroup 64.
//# bind write label array<f32>
//# bind read table array<f32>
//# bind write x array<f32>
//# bind write y array<f32>
//# params C OB

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= 4u * p.OB) { return; }
  let at = id.y * 4u * p.OB + id.x;
  var v = x[at];
  if (id.x < p.C) { v += table[u32(label[4u * id.y]) * p.C + id.x]; }
  y[at] = v;
}
