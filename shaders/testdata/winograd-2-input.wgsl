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

fn source(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  var v = widen(x0[(n * p.CB + block) * area + at]);
  return v;
}

fn resampled(n: u32, block: u32, row: u32, col: u32) -> vec4<f32> {
  return source(n, block, (row / 2u) * p.IW + col / 2u);
}
@group(0) @binding(1) var<storage, read_write> v: array<vec4<f32>>;
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
@group(0) @binding(2) var<uniform> p: Params;

fn pixel(n: u32, block: u32, row: i32, col: i32) -> vec4<f32> {
  if (row < 0 || row >= i32(p.H) || col < 0 || col >= i32(p.W)) { return vec4<f32>(0.0); }
  return resampled(n, block, u32(row), u32(col));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.T) { return; }
  let tile = p.FIRST + id.x;
  let n = tile / (p.TH * p.TW);
  let row = i32(tile / p.TW % p.TH * 2u) - 1;
  let col = i32(tile % p.TW * 2u) - 1;
  var d: array<vec4<f32>, 16>;
  for (var k = 0; k < 16; k++) {
    d[k] = pixel(n, id.y, row + k / 4, col + k % 4);
  }
  let d0_0 = d[0];
  let d1_0 = d[4];
  let d2_0 = d[8];
  let d3_0 = d[12];
  let t0_0 = d0_0 - d2_0;
  let t1_0 = d1_0 + d2_0;
  let t2_0 = d2_0 - d1_0;
  let t3_0 = d1_0 - d3_0;
  let d0_1 = d[1];
  let d1_1 = d[5];
  let d2_1 = d[9];
  let d3_1 = d[13];
  let t0_1 = d0_1 - d2_1;
  let t1_1 = d1_1 + d2_1;
  let t2_1 = d2_1 - d1_1;
  let t3_1 = d1_1 - d3_1;
  let d0_2 = d[2];
  let d1_2 = d[6];
  let d2_2 = d[10];
  let d3_2 = d[14];
  let t0_2 = d0_2 - d2_2;
  let t1_2 = d1_2 + d2_2;
  let t2_2 = d2_2 - d1_2;
  let t3_2 = d1_2 - d3_2;
  let d0_3 = d[3];
  let d1_3 = d[7];
  let d2_3 = d[11];
  let d3_3 = d[15];
  let t0_3 = d0_3 - d2_3;
  let t1_3 = d1_3 + d2_3;
  let t2_3 = d2_3 - d1_3;
  let t3_3 = d1_3 - d3_3;
  let step = p.CB * p.T;
  var to = id.y * p.T + id.x;
  {
    v[to] = t0_0 - t0_2;
    v[to + step] = t0_1 + t0_2;
    v[to + 2u * step] = t0_2 - t0_1;
    v[to + 3u * step] = t0_1 - t0_3;
    to += 4u * step;
  }
  {
    v[to] = t1_0 - t1_2;
    v[to + step] = t1_1 + t1_2;
    v[to + 2u * step] = t1_2 - t1_1;
    v[to + 3u * step] = t1_1 - t1_3;
    to += 4u * step;
  }
  {
    v[to] = t2_0 - t2_2;
    v[to + step] = t2_1 + t2_2;
    v[to + 2u * step] = t2_2 - t2_1;
    v[to + 3u * step] = t2_1 - t2_3;
    to += 4u * step;
  }
  {
    v[to] = t3_0 - t3_2;
    v[to + step] = t3_1 + t3_2;
    v[to + 2u * step] = t3_2 - t3_1;
    v[to + 3u * step] = t3_1 - t3_3;
    to += 4u * step;
  }
}
