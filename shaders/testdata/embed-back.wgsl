// Adds to the gradient by a table (plan.ParamBack of plan.Embed):
// table[label[n]] += d[n], for N samples one after another, as two may have one
// label. A thread makes one channel. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> label: array<f32>;
@group(0) @binding(1) var<storage, read_write> d: array<f32>;
@group(0) @binding(2) var<storage, read_write> table: array<f32>;
struct Params {
  N: u32,
  C: u32,
  OB: u32,
}
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.C) { return; }
  for (var n = 0u; n < p.N; n++) {
    table[u32(label[4u * n]) * p.C + id.x] += d[n * 4u * p.OB + id.x];
  }
}
