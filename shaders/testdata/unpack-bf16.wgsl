// Weights as a pack stores them, [output][input][tap], into the matrix of
// weight.wgsl: w = s·q, where q is by FROM a float (0), a half (1), a bfloat16 (2)
// or an int8 (3), of which several lie in a word, and s the scale that an int8
// shares with PER others, else 1. OUT outputs are there, of which the first is
// element FIRST of the tensor and belongs to block O0 of WB. A thread makes one
// input channel of one tap of one block. Workgroup 64 along the blocks.
// Weights lie as matrices: row (tap·CI + c) for input channel c, CI being a
// multiple of 16, and in a row WB blocks of four output channels, of W: four
// floats, or with W16 four halves. What is beyond the channels is zero.
alias W = vec4<f32>;
fn factor(v: W) -> vec4<f32> { return v; }
@group(0) @binding(0) var<storage, read> plain: array<u32>;
@group(0) @binding(1) var<storage, read_write> w: array<W>;
struct Params {
  OUT: u32,
  IN: u32,
  TAPS: u32,
  CI: u32,
  WB: u32,
  O0: u32,
  BLOCKS: u32,
  ROW: u32,
  FIRST: u32,
  PER: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

fn element(i: u32) -> f32 {
  return bitcast<f32>((plain[i >> 1u] >> (16u * (i & 1u))) << 16u);
}

fn pick(o: u32, c: u32, tap: u32) -> f32 {
  if (o >= p.OUT || c >= p.IN) { return 0.0; }
  return element((o * p.IN + c) * p.TAPS + tap);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.BLOCKS) { return; }
  let row = p.ROW + id.y;
  let tap = row / p.CI;
  let c = row % p.CI;
  let o = 4u * id.x;
  let v = vec4<f32>(pick(o, c, tap), pick(o + 1u, c, tap), pick(o + 2u, c, tap), pick(o + 3u, c, tap));
  w[row * p.WB + p.O0 + id.x] = v;
}
