// The way back of attention, first stage: of PAIRS of a sample and a head, from
// PAIR on, for QUERIES t from FIRST on and all T keys u,
//
//   scores[t, u] = SCALE·Σ q[t]·k[u]   and   grads[t, u] = Σ d[t]·v[u]
//
// over the DIM channels of a head, which begin at channel QAT, KAT and VAT of
// qkv, STEP further for each head, and of d, the gradient by attention's result,
// one head after another. A thread makes one (t, u). Grid: keys by 64, queries,
// pairs.
@group(0) @binding(0) var<storage, read_write> qkv: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> scores: array<f32>;
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;
struct Params {
  T: u32,
  CB: u32,
  OB: u32,
  HEADS: u32,
  PAIR: u32,
  DIM: u32,
  STEP: u32,
  QAT: u32,
  KAT: u32,
  VAT: u32,
  FIRST: u32,
  QUERIES: u32,
  SCALE: f32,
}
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.T) { return; }
  let sample = (p.PAIR + id.z) / p.HEADS;
  let head = (p.PAIR + id.z) % p.HEADS;
  let t = p.FIRST + id.y;
  var s = 0.0;
  var g = 0.0;
  for (var i = 0u; i < p.DIM; i++) {
    let c = head * p.STEP + i;
    let e = head * p.DIM + i;
    let base = sample * p.CB;
    let q = qkv[(base + (p.QAT + c) / 4u) * p.T + t][(p.QAT + c) % 4u];
    let k = qkv[(base + (p.KAT + c) / 4u) * p.T + id.x][(p.KAT + c) % 4u];
    let v = qkv[(base + (p.VAT + c) / 4u) * p.T + id.x][(p.VAT + c) % 4u];
    s += q * k;
    g += d[(sample * p.OB + e / 4u) * p.T + t][e % 4u] * v;
  }
  let to = (id.z * p.QUERIES + id.y) * p.T + id.x;
  scores[to] = p.SCALE * s;
  grads[to] = g;
}
