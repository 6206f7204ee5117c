// The first stage of Winograd's F(TILE×TILE, 3×3): V = Bᵀ d B of every tile's
// (TILE+2)² pixels, where what read.wgsl says is done once for each. A thread
// makes one tile of one block of channels; V is [frequency][block][tile] for
// the T tiles from FIRST on. Workgroup 64 along the tiles. ROLLED is for adapters
// that take seconds to compile a long shader: what is read is written out once.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
// What an operator reads (plan.Read): x0 and x1 concatenated, CB0 of CB blocks
// from x0; times scale plus shift; SiLU; resampled from IH×IW: RESAMPLE is 0,
// 1 for twice the size (nearest) or 2 for half (mean of 2×2).
@group(0) @binding(0) var<storage, read_write> x0: array<T>;
@group(0) @binding(1) var<storage, read_write> affine: array<vec4<f32>>;

fn source(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  var v = widen(x0[(n * p.CB + block) * area + at]);
  let a = n * 2u * p.CB + block;
  v = v * affine[a] + affine[a + p.CB];
  v = v / (1.0 + exp(min(-v, vec4<f32>(80.0))));
  return v;
}

fn resampled(n: u32, block: u32, row: u32, col: u32) -> vec4<f32> {
  return source(n, block, row * p.IW + col);
}
@group(0) @binding(2) var<storage, read_write> v: array<vec4<f32>>;
struct Params {
  IH: u32,
  IW: u32,
  H: u32,
  W: u32,
  CB: u32,
  CB0: u32,
  TH: u32,
  TW: u32,
  T: u32,
  FIRST: u32,
}
@group(0) @binding(3) var<uniform> p: Params;

fn pixel(n: u32, block: u32, row: i32, col: i32) -> vec4<f32> {
  if (row < 0 || row >= i32(p.H) || col < 0 || col >= i32(p.W)) { return vec4<f32>(0.0); }
  return resampled(n, block, u32(row), u32(col));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.T) { return; }
  let tile = p.FIRST + id.x;
  let n = tile / (p.TH * p.TW);
  let row = i32(tile / p.TW % p.TH * 4u) - 1;
  let col = i32(tile % p.TW * 4u) - 1;
  let d0_0 = pixel(n, id.y, row + 0, col + 0);
  let d1_0 = pixel(n, id.y, row + 1, col + 0);
  let d2_0 = pixel(n, id.y, row + 2, col + 0);
  let d3_0 = pixel(n, id.y, row + 3, col + 0);
  let d4_0 = pixel(n, id.y, row + 4, col + 0);
  let d5_0 = pixel(n, id.y, row + 5, col + 0);
  let a0 = d4_0 - 4.0 * d2_0;
  let b0 = d3_0 - 4.0 * d1_0;
  let e0 = d4_0 - d2_0;
  let f0 = 2.0 * (d3_0 - d1_0);
  let t0_0 = 4.0 * d0_0 + (d4_0 - 5.0 * d2_0);
  let t1_0 = a0 + b0;
  let t2_0 = a0 - b0;
  let t3_0 = e0 + f0;
  let t4_0 = e0 - f0;
  let t5_0 = 4.0 * d1_0 + (d5_0 - 5.0 * d3_0);
  let d0_1 = pixel(n, id.y, row + 0, col + 1);
  let d1_1 = pixel(n, id.y, row + 1, col + 1);
  let d2_1 = pixel(n, id.y, row + 2, col + 1);
  let d3_1 = pixel(n, id.y, row + 3, col + 1);
  let d4_1 = pixel(n, id.y, row + 4, col + 1);
  let d5_1 = pixel(n, id.y, row + 5, col + 1);
  let a1 = d4_1 - 4.0 * d2_1;
  let b1 = d3_1 - 4.0 * d1_1;
  let e1 = d4_1 - d2_1;
  let f1 = 2.0 * (d3_1 - d1_1);
  let t0_1 = 4.0 * d0_1 + (d4_1 - 5.0 * d2_1);
  let t1_1 = a1 + b1;
  let t2_1 = a1 - b1;
  let t3_1 = e1 + f1;
  let t4_1 = e1 - f1;
  let t5_1 = 4.0 * d1_1 + (d5_1 - 5.0 * d3_1);
  let d0_2 = pixel(n, id.y, row + 0, col + 2);
  let d1_2 = pixel(n, id.y, row + 1, col + 2);
  let d2_2 = pixel(n, id.y, row + 2, col + 2);
  let d3_2 = pixel(n, id.y, row + 3, col + 2);
  let d4_2 = pixel(n, id.y, row + 4, col + 2);
  let d5_2 = pixel(n, id.y, row + 5, col + 2);
  let a2 = d4_2 - 4.0 * d2_2;
  let b2 = d3_2 - 4.0 * d1_2;
  let e2 = d4_2 - d2_2;
  let f2 = 2.0 * (d3_2 - d1_2);
  let t0_2 = 4.0 * d0_2 + (d4_2 - 5.0 * d2_2);
  let t1_2 = a2 + b2;
  let t2_2 = a2 - b2;
  let t3_2 = e2 + f2;
  let t4_2 = e2 - f2;
  let t5_2 = 4.0 * d1_2 + (d5_2 - 5.0 * d3_2);
  let d0_3 = pixel(n, id.y, row + 0, col + 3);
  let d1_3 = pixel(n, id.y, row + 1, col + 3);
  let d2_3 = pixel(n, id.y, row + 2, col + 3);
  let d3_3 = pixel(n, id.y, row + 3, col + 3);
  let d4_3 = pixel(n, id.y, row + 4, col + 3);
  let d5_3 = pixel(n, id.y, row + 5, col + 3);
  let a3 = d4_3 - 4.0 * d2_3;
  let b3 = d3_3 - 4.0 * d1_3;
  let e3 = d4_3 - d2_3;
  let f3 = 2.0 * (d3_3 - d1_3);
  let t0_3 = 4.0 * d0_3 + (d4_3 - 5.0 * d2_3);
  let t1_3 = a3 + b3;
  let t2_3 = a3 - b3;
  let t3_3 = e3 + f3;
  let t4_3 = e3 - f3;
  let t5_3 = 4.0 * d1_3 + (d5_3 - 5.0 * d3_3);
  let d0_4 = pixel(n, id.y, row + 0, col + 4);
  let d1_4 = pixel(n, id.y, row + 1, col + 4);
  let d2_4 = pixel(n, id.y, row + 2, col + 4);
  let d3_4 = pixel(n, id.y, row + 3, col + 4);
  let d4_4 = pixel(n, id.y, row + 4, col + 4);
  let d5_4 = pixel(n, id.y, row + 5, col + 4);
  let a4 = d4_4 - 4.0 * d2_4;
  let b4 = d3_4 - 4.0 * d1_4;
  let e4 = d4_4 - d2_4;
  let f4 = 2.0 * (d3_4 - d1_4);
  let t0_4 = 4.0 * d0_4 + (d4_4 - 5.0 * d2_4);
  let t1_4 = a4 + b4;
  let t2_4 = a4 - b4;
  let t3_4 = e4 + f4;
  let t4_4 = e4 - f4;
  let t5_4 = 4.0 * d1_4 + (d5_4 - 5.0 * d3_4);
  let d0_5 = pixel(n, id.y, row + 0, col + 5);
  let d1_5 = pixel(n, id.y, row + 1, col + 5);
  let d2_5 = pixel(n, id.y, row + 2, col + 5);
  let d3_5 = pixel(n, id.y, row + 3, col + 5);
  let d4_5 = pixel(n, id.y, row + 4, col + 5);
  let d5_5 = pixel(n, id.y, row + 5, col + 5);
  let a5 = d4_5 - 4.0 * d2_5;
  let b5 = d3_5 - 4.0 * d1_5;
  let e5 = d4_5 - d2_5;
  let f5 = 2.0 * (d3_5 - d1_5);
  let t0_5 = 4.0 * d0_5 + (d4_5 - 5.0 * d2_5);
  let t1_5 = a5 + b5;
  let t2_5 = a5 - b5;
  let t3_5 = e5 + f5;
  let t4_5 = e5 - f5;
  let t5_5 = 4.0 * d1_5 + (d5_5 - 5.0 * d3_5);
  let step = p.CB * p.T;
  var to = id.y * p.T + id.x;
  {
    let a = t0_4 - 4.0 * t0_2;
    let b = t0_3 - 4.0 * t0_1;
    let e = t0_4 - t0_2;
    let f = 2.0 * (t0_3 - t0_1);
    v[to] = 4.0 * t0_0 + (t0_4 - 5.0 * t0_2);
    v[to + step] = a + b;
    v[to + 2u * step] = a - b;
    v[to + 3u * step] = e + f;
    v[to + 4u * step] = e - f;
    v[to + 5u * step] = 4.0 * t0_1 + (t0_5 - 5.0 * t0_3);
    to += 6u * step;
  }
  {
    let a = t1_4 - 4.0 * t1_2;
    let b = t1_3 - 4.0 * t1_1;
    let e = t1_4 - t1_2;
    let f = 2.0 * (t1_3 - t1_1);
    v[to] = 4.0 * t1_0 + (t1_4 - 5.0 * t1_2);
    v[to + step] = a + b;
    v[to + 2u * step] = a - b;
    v[to + 3u * step] = e + f;
    v[to + 4u * step] = e - f;
    v[to + 5u * step] = 4.0 * t1_1 + (t1_5 - 5.0 * t1_3);
    to += 6u * step;
  }
  {
    let a = t2_4 - 4.0 * t2_2;
    let b = t2_3 - 4.0 * t2_1;
    let e = t2_4 - t2_2;
    let f = 2.0 * (t2_3 - t2_1);
    v[to] = 4.0 * t2_0 + (t2_4 - 5.0 * t2_2);
    v[to + step] = a + b;
    v[to + 2u * step] = a - b;
    v[to + 3u * step] = e + f;
    v[to + 4u * step] = e - f;
    v[to + 5u * step] = 4.0 * t2_1 + (t2_5 - 5.0 * t2_3);
    to += 6u * step;
  }
  {
    let a = t3_4 - 4.0 * t3_2;
    let b = t3_3 - 4.0 * t3_1;
    let e = t3_4 - t3_2;
    let f = 2.0 * (t3_3 - t3_1);
    v[to] = 4.0 * t3_0 + (t3_4 - 5.0 * t3_2);
    v[to + step] = a + b;
    v[to + 2u * step] = a - b;
    v[to + 3u * step] = e + f;
    v[to + 4u * step] = e - f;
    v[to + 5u * step] = 4.0 * t3_1 + (t3_5 - 5.0 * t3_3);
    to += 6u * step;
  }
  {
    let a = t4_4 - 4.0 * t4_2;
    let b = t4_3 - 4.0 * t4_1;
    let e = t4_4 - t4_2;
    let f = 2.0 * (t4_3 - t4_1);
    v[to] = 4.0 * t4_0 + (t4_4 - 5.0 * t4_2);
    v[to + step] = a + b;
    v[to + 2u * step] = a - b;
    v[to + 3u * step] = e + f;
    v[to + 4u * step] = e - f;
    v[to + 5u * step] = 4.0 * t4_1 + (t4_5 - 5.0 * t4_3);
    to += 6u * step;
  }
  {
    let a = t5_4 - 4.0 * t5_2;
    let b = t5_3 - 4.0 * t5_1;
    let e = t5_4 - t5_2;
    let f = 2.0 * (t5_3 - t5_1);
    v[to] = 4.0 * t5_0 + (t5_4 - 5.0 * t5_2);
    v[to + step] = a + b;
    v[to + 2u * step] = a - b;
    v[to + 3u * step] = e + f;
    v[to + 4u * step] = e - f;
    v[to + 5u * step] = 4.0 * t5_1 + (t5_5 - 5.0 * t5_3);
    to += 6u * step;
  }
}
