// The weights of Winograd's F(TILE×TILE, 3×3): U = G g Gᵀ, [frequency][input
// channel][block] for SB blocks from O0 on. A thread makes one input channel of
// one block. Workgroup 64 along the blocks.
// Weights lie as matrices: row (tap·CI + c) for input channel c, CI being a
// multiple of 16, and in a row WB blocks of four output channels, of W: four
// floats, or with W16 four halves. What is beyond the channels is zero.
alias W = vec4<f32>;
fn factor(v: W) -> vec4<f32> { return v; }
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
  let t0_0 = g0_0;
  let t1_0 = 0.5 * (g0_0 + g2_0 + g1_0);
  let t2_0 = 0.5 * (g0_0 + g2_0 - g1_0);
  let t3_0 = g2_0;
  let g0_1 = factor(w[from_ + 1u * tap]);
  let g1_1 = factor(w[from_ + 4u * tap]);
  let g2_1 = factor(w[from_ + 7u * tap]);
  let t0_1 = g0_1;
  let t1_1 = 0.5 * (g0_1 + g2_1 + g1_1);
  let t2_1 = 0.5 * (g0_1 + g2_1 - g1_1);
  let t3_1 = g2_1;
  let g0_2 = factor(w[from_ + 2u * tap]);
  let g1_2 = factor(w[from_ + 5u * tap]);
  let g2_2 = factor(w[from_ + 8u * tap]);
  let t0_2 = g0_2;
  let t1_2 = 0.5 * (g0_2 + g2_2 + g1_2);
  let t2_2 = 0.5 * (g0_2 + g2_2 - g1_2);
  let t3_2 = g2_2;
  let step = p.CI * p.SB;
  var to = channel * p.SB + block;
  {
    u[to] = t0_0;
    u[to + step] = 0.5 * (t0_0 + t0_2 + t0_1);
    u[to + 2u * step] = 0.5 * (t0_0 + t0_2 - t0_1);
    u[to + 3u * step] = t0_2;
    to += 4u * step;
  }
  {
    u[to] = t1_0;
    u[to + step] = 0.5 * (t1_0 + t1_2 + t1_1);
    u[to + 2u * step] = 0.5 * (t1_0 + t1_2 - t1_1);
    u[to + 3u * step] = t1_2;
    to += 4u * step;
  }
  {
    u[to] = t2_0;
    u[to + step] = 0.5 * (t2_0 + t2_2 + t2_1);
    u[to + 2u * step] = 0.5 * (t2_0 + t2_2 - t2_1);
    u[to + 3u * step] = t2_2;
    to += 4u * step;
  }
  {
    u[to] = t3_0;
    u[to + step] = 0.5 * (t3_0 + t3_2 + t3_1);
    u[to + 2u * step] = 0.5 * (t3_0 + t3_2 - t3_1);
    u[to + 3u * step] = t3_2;
    to += 4u * step;
  }
}
