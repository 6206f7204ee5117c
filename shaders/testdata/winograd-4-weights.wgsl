// The weights of Winograd's F(TILE×TILE, 3×3): U = G g Gᵀ, [frequency][input
// channel][block] for SB blocks from O0 on. A thread makes one input channel of
// one block. Workgroup 64 along the blocks.
// Weights lie as matrices: row (tap·CI + c) for input channel c, CI being a
// multiple of 16, and in a row WB blocks of four output channels, of W: four
// floats, or with W16 four halves. What is beyond the channels is zero.
alias W = vec2<u32>;
fn factor(v: W) -> vec4<f32> { return vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y)); }
@group(0) @binding(0) var<storage, read> w: array<W>;
@group(0) @binding(1) var<storage, read_write> u: array<vec4<f32>>;
struct Params {
  CI: u32,
  WB: u32,
  O0: u32,
  SB: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.CI * p.SB) { return; }
  let channel = id.x / p.SB;
  let block = id.x % p.SB;
  let from_ = channel * p.WB + p.O0 + block;
  let tap = p.CI * p.WB;
  let g0_0 = factor(w[from_ + 0u * tap]);
  let g1_0 = factor(w[from_ + 3u * tap]);
  let g2_0 = factor(w[from_ + 6u * tap]);
  let s0 = (g0_0 + g2_0) / 6.0;
  let r0 = g0_0 / 24.0 + g2_0 / 6.0;
  let t0_0 = 0.25 * g0_0;
  let t1_0 = -s0 - g1_0 / 6.0;
  let t2_0 = -s0 + g1_0 / 6.0;
  let t3_0 = r0 + g1_0 / 12.0;
  let t4_0 = r0 - g1_0 / 12.0;
  let t5_0 = g2_0;
  let g0_1 = factor(w[from_ + 1u * tap]);
  let g1_1 = factor(w[from_ + 4u * tap]);
  let g2_1 = factor(w[from_ + 7u * tap]);
  let s1 = (g0_1 + g2_1) / 6.0;
  let r1 = g0_1 / 24.0 + g2_1 / 6.0;
  let t0_1 = 0.25 * g0_1;
  let t1_1 = -s1 - g1_1 / 6.0;
  let t2_1 = -s1 + g1_1 / 6.0;
  let t3_1 = r1 + g1_1 / 12.0;
  let t4_1 = r1 - g1_1 / 12.0;
  let t5_1 = g2_1;
  let g0_2 = factor(w[from_ + 2u * tap]);
  let g1_2 = factor(w[from_ + 5u * tap]);
  let g2_2 = factor(w[from_ + 8u * tap]);
  let s2 = (g0_2 + g2_2) / 6.0;
  let r2 = g0_2 / 24.0 + g2_2 / 6.0;
  let t0_2 = 0.25 * g0_2;
  let t1_2 = -s2 - g1_2 / 6.0;
  let t2_2 = -s2 + g1_2 / 6.0;
  let t3_2 = r2 + g1_2 / 12.0;
  let t4_2 = r2 - g1_2 / 12.0;
  let t5_2 = g2_2;
  let step = p.CI * p.SB;
  var to = channel * p.SB + block;
  {
    let s = (t0_0 + t0_2) / 6.0;
    let r = t0_0 / 24.0 + t0_2 / 6.0;
    u[to] = 0.25 * t0_0;
    u[to + step] = -s - t0_1 / 6.0;
    u[to + 2u * step] = -s + t0_1 / 6.0;
    u[to + 3u * step] = r + t0_1 / 12.0;
    u[to + 4u * step] = r - t0_1 / 12.0;
    u[to + 5u * step] = t0_2;
    to += 6u * step;
  }
  {
    let s = (t1_0 + t1_2) / 6.0;
    let r = t1_0 / 24.0 + t1_2 / 6.0;
    u[to] = 0.25 * t1_0;
    u[to + step] = -s - t1_1 / 6.0;
    u[to + 2u * step] = -s + t1_1 / 6.0;
    u[to + 3u * step] = r + t1_1 / 12.0;
    u[to + 4u * step] = r - t1_1 / 12.0;
    u[to + 5u * step] = t1_2;
    to += 6u * step;
  }
  {
    let s = (t2_0 + t2_2) / 6.0;
    let r = t2_0 / 24.0 + t2_2 / 6.0;
    u[to] = 0.25 * t2_0;
    u[to + step] = -s - t2_1 / 6.0;
    u[to + 2u * step] = -s + t2_1 / 6.0;
    u[to + 3u * step] = r + t2_1 / 12.0;
    u[to + 4u * step] = r - t2_1 / 12.0;
    u[to + 5u * step] = t2_2;
    to += 6u * step;
  }
  {
    let s = (t3_0 + t3_2) / 6.0;
    let r = t3_0 / 24.0 + t3_2 / 6.0;
    u[to] = 0.25 * t3_0;
    u[to + step] = -s - t3_1 / 6.0;
    u[to + 2u * step] = -s + t3_1 / 6.0;
    u[to + 3u * step] = r + t3_1 / 12.0;
    u[to + 4u * step] = r - t3_1 / 12.0;
    u[to + 5u * step] = t3_2;
    to += 6u * step;
  }
  {
    let s = (t4_0 + t4_2) / 6.0;
    let r = t4_0 / 24.0 + t4_2 / 6.0;
    u[to] = 0.25 * t4_0;
    u[to + step] = -s - t4_1 / 6.0;
    u[to + 2u * step] = -s + t4_1 / 6.0;
    u[to + 3u * step] = r + t4_1 / 12.0;
    u[to + 4u * step] = r - t4_1 / 12.0;
    u[to + 5u * step] = t4_2;
    to += 6u * step;
  }
  {
    let s = (t5_0 + t5_2) / 6.0;
    let r = t5_0 / 24.0 + t5_2 / 6.0;
    u[to] = 0.25 * t5_0;
    u[to + step] = -s - t5_1 / 6.0;
    u[to + 2u * step] = -s + t5_1 / 6.0;
    u[to + 3u * step] = r + t5_1 / 12.0;
    u[to + 4u * step] = r - t5_1 / 12.0;
    u[to + 5u * step] = t5_2;
    to += 6u * step;
  }
}
