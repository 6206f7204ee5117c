// The end of a convolution whose steps were split: y = b + Σ parts, and what
// write.wgsl adds. PART is [z][block][m], PARTS of them; a thread makes one
// block of four channels of one pixel. Workgroup 64.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
@group(0) @binding(0) var<storage, read_write> part: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>;
// What is added to a result (plan.Write), of OB blocks and OH×OW pixels: shift
// to every pixel of a channel, and the residual, resampled like RESIDUAL-1 says
// (see read.wgsl); RESIDUAL 0 is none.
@group(0) @binding(2) var<storage, read_write> residual: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;

fn emit(n: u32, block: u32, at: u32, result: vec4<f32>) {
  var v = result;
  let plane = n * p.OB + block;
  v += widen(residual[(plane * (p.OH / 2u) + at / p.OW / 2u) * (p.OW / 2u) + at % p.OW / 2u]);
  y[plane * p.OH * p.OW + at] = narrow(v);
}
struct Params {
  OH: u32,
  OW: u32,
  OB: u32,
  M: u32,
  O0: u32,
  WB: u32,
  PARTS: u32,
}
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let m = id.x;
  if (m >= p.M) { return; }
  var v = bias[p.O0 + id.y];
  for (var z = 0u; z < p.PARTS; z++) {
    v += part[(z * p.WB + id.y) * p.M + m];
  }
  emit(m / (p.OH * p.OW), p.O0 + id.y, m % (p.OH * p.OW), v);
}
