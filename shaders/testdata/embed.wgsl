// y = x + table[label] (plan.Embed). The table is [classes][C] floats, vectors
// are OB blocks. A thread makes one channel of one sample. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> label: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
struct Params {
  C: u32,
  OB: u32,
}
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= 4u * p.OB) { return; }
  let at = id.y * 4u * p.OB + id.x;
  var v = x[at];
  if (id.x < p.C) { v += table[u32(label[4u * id.y]) * p.C + id.x]; }
  y[at] = v;
}
