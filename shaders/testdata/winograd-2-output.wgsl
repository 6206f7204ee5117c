// The last stage of Winograd's F(TILE×TILE, 3×3): y = Aᵀ M A of every tile, and
// what write.wgsl adds. A thread makes one tile of one block of channels; M is
// [frequency][block][tile] for SB blocks from O0 on and the T tiles from FIRST
// on. Workgroup 64 along the tiles. ROLLED: see winograd_input.wgsl.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec2<u32>;
fn widen(v: T) -> vec4<f32> { return vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y)); }
fn narrow(v: vec4<f32>) -> T {
  let c = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  return T(pack2x16float(c.xy), pack2x16float(c.zw));
}
@group(0) @binding(0) var<storage, read_write> products: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>;
// What is added to a result (plan.Write), of OB blocks and OH×OW pixels: shift
// to every pixel of a channel, and the residual, resampled like RESIDUAL-1 says
// (see read.wgsl); RESIDUAL 0 is none.
@group(0) @binding(2) var<storage, read_write> y: array<T>;

fn emit(n: u32, block: u32, at: u32, result: vec4<f32>) {
  var v = result;
  let plane = n * p.OB + block;
  y[plane * p.OH * p.OW + at] = narrow(v);
}
struct Params {
  OH: u32,
  OW: u32,
  OB: u32,
  O0: u32,
  SB: u32,
  TH: u32,
  TW: u32,
  T: u32,
  FIRST: u32,
}
@group(0) @binding(3) var<uniform> p: Params;

fn put(n: u32, block: u32, row: u32, col: u32, v: vec4<f32>) {
  if (row < p.OH && col < p.OW) { emit(n, block, row * p.OW + col, v + bias[block]); }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.T) { return; }
  let tile = p.FIRST + id.x;
  let n = tile / (p.TH * p.TW);
  let row = tile / p.TW % p.TH * 2u;
  let col = tile % p.TW * 2u;
  let at = id.y * p.T + id.x;
  let step = p.SB * p.T;
  let m0_0 = products[at + 0u * step];
  let m1_0 = products[at + 4u * step];
  let m2_0 = products[at + 8u * step];
  let m3_0 = products[at + 12u * step];
  let t0_0 = m0_0 + m1_0 + m2_0;
  let t1_0 = m1_0 - m2_0 - m3_0;
  let m0_1 = products[at + 1u * step];
  let m1_1 = products[at + 5u * step];
  let m2_1 = products[at + 9u * step];
  let m3_1 = products[at + 13u * step];
  let t0_1 = m0_1 + m1_1 + m2_1;
  let t1_1 = m1_1 - m2_1 - m3_1;
  let m0_2 = products[at + 2u * step];
  let m1_2 = products[at + 6u * step];
  let m2_2 = products[at + 10u * step];
  let m3_2 = products[at + 14u * step];
  let t0_2 = m0_2 + m1_2 + m2_2;
  let t1_2 = m1_2 - m2_2 - m3_2;
  let m0_3 = products[at + 3u * step];
  let m1_3 = products[at + 7u * step];
  let m2_3 = products[at + 11u * step];
  let m3_3 = products[at + 15u * step];
  let t0_3 = m0_3 + m1_3 + m2_3;
  let t1_3 = m1_3 - m2_3 - m3_3;
  let block = p.O0 + id.y;
  let r0_0 = t0_0 + t0_1 + t0_2;
  let r0_1 = t0_1 - t0_2 - t0_3;
  let r1_0 = t1_0 + t1_1 + t1_2;
  let r1_1 = t1_1 - t1_2 - t1_3;
  var r: array<vec4<f32>, 4>;
  r[0] = r0_0;
  r[1] = r0_1;
  r[2] = r1_0;
  r[3] = r1_1;
  for (var k = 0u; k < 4u; k++) {
    put(n, block, row + k / 2u, col + k % 2u, r[k]);
  }
}
