// The last stage of Winograd's F(TILE×TILE, 3×3): y = Aᵀ M A of every tile, and
// what write.wgsl adds. A thread makes one tile of one block of channels; M is
// [frequency][block][tile] for SB blocks from O0 on and the T tiles from FIRST
// on. Workgroup 64 along the tiles. ROLLED: see winograd_input.wgsl.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
@group(0) @binding(0) var<storage, read_write> products: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>;
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
@group(0) @binding(4) var<uniform> p: Params;

fn put(n: u32, block: u32, row: u32, col: u32, v: vec4<f32>) {
  if (row < p.OH && col < p.OW) { emit(n, block, row * p.OW + col, v + bias[block]); }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.T) { return; }
  let tile = p.FIRST + id.x;
  let n = tile / (p.TH * p.TW);
  let row = tile / p.TW % p.TH * 4u;
  let col = tile % p.TW * 4u;
  let at = id.y * p.T + id.x;
  let step = p.SB * p.T;
  let m0_0 = products[at + 0u * step];
  let m1_0 = products[at + 6u * step];
  let m2_0 = products[at + 12u * step];
  let m3_0 = products[at + 18u * step];
  let m4_0 = products[at + 24u * step];
  let m5_0 = products[at + 30u * step];
  let a0 = m1_0 + m2_0;
  let b0 = m1_0 - m2_0;
  let c0 = m3_0 + m4_0;
  let d0 = m3_0 - m4_0;
  let t0_0 = m0_0 + a0 + c0;
  let t1_0 = b0 + 2.0 * d0;
  let t2_0 = a0 + 4.0 * c0;
  let t3_0 = b0 + 8.0 * d0 + m5_0;
  let m0_1 = products[at + 1u * step];
  let m1_1 = products[at + 7u * step];
  let m2_1 = products[at + 13u * step];
  let m3_1 = products[at + 19u * step];
  let m4_1 = products[at + 25u * step];
  let m5_1 = products[at + 31u * step];
  let a1 = m1_1 + m2_1;
  let b1 = m1_1 - m2_1;
  let c1 = m3_1 + m4_1;
  let d1 = m3_1 - m4_1;
  let t0_1 = m0_1 + a1 + c1;
  let t1_1 = b1 + 2.0 * d1;
  let t2_1 = a1 + 4.0 * c1;
  let t3_1 = b1 + 8.0 * d1 + m5_1;
  let m0_2 = products[at + 2u * step];
  let m1_2 = products[at + 8u * step];
  let m2_2 = products[at + 14u * step];
  let m3_2 = products[at + 20u * step];
  let m4_2 = products[at + 26u * step];
  let m5_2 = products[at + 32u * step];
  let a2 = m1_2 + m2_2;
  let b2 = m1_2 - m2_2;
  let c2 = m3_2 + m4_2;
  let d2 = m3_2 - m4_2;
  let t0_2 = m0_2 + a2 + c2;
  let t1_2 = b2 + 2.0 * d2;
  let t2_2 = a2 + 4.0 * c2;
  let t3_2 = b2 + 8.0 * d2 + m5_2;
  let m0_3 = products[at + 3u * step];
  let m1_3 = products[at + 9u * step];
  let m2_3 = products[at + 15u * step];
  let m3_3 = products[at + 21u * step];
  let m4_3 = products[at + 27u * step];
  let m5_3 = products[at + 33u * step];
  let a3 = m1_3 + m2_3;
  let b3 = m1_3 - m2_3;
  let c3 = m3_3 + m4_3;
  let d3 = m3_3 - m4_3;
  let t0_3 = m0_3 + a3 + c3;
  let t1_3 = b3 + 2.0 * d3;
  let t2_3 = a3 + 4.0 * c3;
  let t3_3 = b3 + 8.0 * d3 + m5_3;
  let m0_4 = products[at + 4u * step];
  let m1_4 = products[at + 10u * step];
  let m2_4 = products[at + 16u * step];
  let m3_4 = products[at + 22u * step];
  let m4_4 = products[at + 28u * step];
  let m5_4 = products[at + 34u * step];
  let a4 = m1_4 + m2_4;
  let b4 = m1_4 - m2_4;
  let c4 = m3_4 + m4_4;
  let d4 = m3_4 - m4_4;
  let t0_4 = m0_4 + a4 + c4;
  let t1_4 = b4 + 2.0 * d4;
  let t2_4 = a4 + 4.0 * c4;
  let t3_4 = b4 + 8.0 * d4 + m5_4;
  let m0_5 = products[at + 5u * step];
  let m1_5 = products[at + 11u * step];
  let m2_5 = products[at + 17u * step];
  let m3_5 = products[at + 23u * step];
  let m4_5 = products[at + 29u * step];
  let m5_5 = products[at + 35u * step];
  let a5 = m1_5 + m2_5;
  let b5 = m1_5 - m2_5;
  let c5 = m3_5 + m4_5;
  let d5 = m3_5 - m4_5;
  let t0_5 = m0_5 + a5 + c5;
  let t1_5 = b5 + 2.0 * d5;
  let t2_5 = a5 + 4.0 * c5;
  let t3_5 = b5 + 8.0 * d5 + m5_5;
  let block = p.O0 + id.y;
  let e0 = t0_1 + t0_2;
  let f0 = t0_1 - t0_2;
  let g0 = t0_3 + t0_4;
  let h0 = t0_3 - t0_4;
  let r0_0 = t0_0 + e0 + g0;
  let r0_1 = f0 + 2.0 * h0;
  let r0_2 = e0 + 4.0 * g0;
  let r0_3 = f0 + 8.0 * h0 + t0_5;
  put(n, block, row + 0u, col + 0u, r0_0);
  put(n, block, row + 0u, col + 1u, r0_1);
  put(n, block, row + 0u, col + 2u, r0_2);
  put(n, block, row + 0u, col + 3u, r0_3);
  let e1 = t1_1 + t1_2;
  let f1 = t1_1 - t1_2;
  let g1 = t1_3 + t1_4;
  let h1 = t1_3 - t1_4;
  let r1_0 = t1_0 + e1 + g1;
  let r1_1 = f1 + 2.0 * h1;
  let r1_2 = e1 + 4.0 * g1;
  let r1_3 = f1 + 8.0 * h1 + t1_5;
  put(n, block, row + 1u, col + 0u, r1_0);
  put(n, block, row + 1u, col + 1u, r1_1);
  put(n, block, row + 1u, col + 2u, r1_2);
  put(n, block, row + 1u, col + 3u, r1_3);
  let e2 = t2_1 + t2_2;
  let f2 = t2_1 - t2_2;
  let g2 = t2_3 + t2_4;
  let h2 = t2_3 - t2_4;
  let r2_0 = t2_0 + e2 + g2;
  let r2_1 = f2 + 2.0 * h2;
  let r2_2 = e2 + 4.0 * g2;
  let r2_3 = f2 + 8.0 * h2 + t2_5;
  put(n, block, row + 2u, col + 0u, r2_0);
  put(n, block, row + 2u, col + 1u, r2_1);
  put(n, block, row + 2u, col + 2u, r2_2);
  put(n, block, row + 2u, col + 3u, r2_3);
  let e3 = t3_1 + t3_2;
  let f3 = t3_1 - t3_2;
  let g3 = t3_3 + t3_4;
  let h3 = t3_3 - t3_4;
  let r3_0 = t3_0 + e3 + g3;
  let r3_1 = f3 + 2.0 * h3;
  let r3_2 = e3 + 4.0 * g3;
  let r3_3 = f3 + 8.0 * h3 + t3_5;
  put(n, block, row + 3u, col + 0u, r3_0);
  put(n, block, row + 3u, col + 1u, r3_1);
  put(n, block, row + 3u, col + 2u, r3_2);
  put(n, block, row + 3u, col + 3u, r3_3);
}
