// The gradient by one of the tensors that a Norm takes its statistics of
// (plan.NormBack): dmean/m − drstd·rstd³/m · (x − mean), with what
// norm_back.wgsl made for each of GROUPS groups of PER channels. x's first
// channel is FIRST of the concatenation, it has C. With ADD it comes on top of
// what is there. A thread makes one block of one pixel; the third dimension is
// the sample. Workgroup 64.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> stats: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  AREA: u32,
  CB: u32,
  C: u32,
  FIRST: u32,
  PER: u32,
  GROUPS: u32,
}
@group(0) @binding(3) var<uniform> p: Params;

fn share(n: u32, c: u32, x: f32) -> f32 {
  if (c >= p.C) { return 0.0; }
  let s = stats[n * p.GROUPS + (p.FIRST + c) / p.PER];
  return s.z - s.w * (x - s.x);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.AREA) { return; }
  let at = (id.z * p.CB + id.y) * p.AREA + id.x;
  let v = x[at];
  let c = 4u * id.y;
  let g = vec4<f32>(share(id.z, c, v.x), share(id.z, c + 1u, v.y), share(id.z, c + 2u, v.z), share(id.z, c + 3u, v.w));
  y[at] += g;
}
