// Adds to the gradient by a table (plan.ParamBack of plan.Embed):
// table[label[n]] += d[n], for N samples one after another, as two may have one
// label. A thread makes one channel. Workgroup 64.
//# bind write label array<f32>
//# bind write d array<f32>
//# bind write table array<f32>
//# params N C OB

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.C) { return; }
  for (var n = 0u; n < p.N; n++) {
    table[u32(label[4u * n]) * p.C + id.x] += d[n * 4u * p.OB + id.x];
  }
}
