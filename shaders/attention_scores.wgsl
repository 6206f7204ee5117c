// The way back of attention, first stage: of one head and sample, for queries
// t = FIRST … FIRST+QUERIES and all keys u,
//
//   scores[t, u] = SCALE·Σ q[t]·k[u]   and   grads[t, u] = Σ d[t]·v[u]
//
// over the DIM channels of a head, which begin at channel QAT, KAT and VAT of
// qkv and at DAT of d, the gradient by attention's result. A thread makes one
// pair. Workgroup 64 along the keys.
//# bind write qkv array<vec4<f32>>
//# bind write d array<vec4<f32>>
//# bind write scores array<f32>
//# bind write grads array<f32>
//# params T CB OB SAMPLE DIM QAT KAT VAT DAT FIRST f:SCALE

fn at_qkv(c: u32, t: u32) -> f32 { return qkv[(p.SAMPLE * p.CB + c / 4u) * p.T + t][c % 4u]; }
fn at_d(c: u32, t: u32) -> f32 { return d[(p.SAMPLE * p.OB + c / 4u) * p.T + t][c % 4u]; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.T) { return; }
  let t = p.FIRST + id.y;
  var s = 0.0;
  var g = 0.0;
  for (var c = 0u; c < p.DIM; c++) {
    s += at_qkv(p.QAT + c, t) * at_qkv(p.KAT + c, id.x);
    g += at_d(p.DAT + c, t) * at_qkv(p.VAT + c, id.x);
  }
  scores[id.y * p.T + id.x] = p.SCALE * s;
  grads[id.y * p.T + id.x] = g;
}
