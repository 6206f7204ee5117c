// Read and Write with nothing between (plan.Map); see read.wgsl and write.wgsl.
// A thread makes one block of four channels of one pixel; the third dimension
// is the sample. Workgroup 64.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
// What an operator reads (plan.Read): x0 and x1 concatenated, CB0 of CB blocks
// from x0; times scale plus shift; SiLU; resampled from IH×IW: RESAMPLE is 0,
// 1 for twice the size (nearest) or 2 for half (mean of 2×2).
@group(0) @binding(0) var<storage, read_write> x0: array<T>;
@group(0) @binding(1) var<storage, read_write> x1: array<T>;

fn source(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  var v: vec4<f32>;
  if (block < p.CB0) {
    v = widen(x0[(n * p.CB0 + block) * area + at]);
  } else {
    v = widen(x1[(n * (p.CB - p.CB0) + block - p.CB0) * area + at]);
  }
  v = v / (1.0 + exp(min(-v, vec4<f32>(80.0))));
  return v;
}

fn resampled(n: u32, block: u32, row: u32, col: u32) -> vec4<f32> {
  return source(n, block, row * p.IW + col);
}
// What is added to a result (plan.Write), of OB blocks and OH×OW pixels: shift
// to every pixel of a channel, and the residual, resampled like RESIDUAL-1 says
// (see read.wgsl); RESIDUAL 0 is none.
@group(0) @binding(2) var<storage, read_write> residual: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;

fn emit(n: u32, block: u32, at: u32, result: vec4<f32>) {
  var v = result;
  let plane = n * p.OB + block;
  v += widen(residual[plane * p.OH * p.OW + at]);
  y[plane * p.OH * p.OW + at] = narrow(v);
}
struct Params {
  IH: u32,
  IW: u32,
  CB: u32,
  CB0: u32,
  OH: u32,
  OW: u32,
  OB: u32,
}
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.OH * p.OW) { return; }
  emit(id.z, id.y, id.x, resampled(id.z, id.y, id.x / p.OW, id.x % p.OW));
}
