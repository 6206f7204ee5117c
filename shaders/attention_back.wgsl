// The way back of attention, last stage, with what attention_slopes.wgsl made of
// the same pairs and queries, which attention_scores.wgsl describes:
//
//   dq[t] = Σ dS[t, u]·k[u],  dk[u] = Σ dS[t, u]·q[t],  dv[u] = Σ P[t, u]·d[t]
//
// A thread makes one channel of one pixel of them; dk and dv come on top of what
// earlier queries gave unless FIRST is 0, and with ADD all come on top of what is
// there. Grid: pixels by 64, channels of a head, and a third dimension of pairs
// and in each q, k, v. Workgroup 64.
//# bind write qkv array<f32>
//# bind write d array<f32>
//# bind write slopes array<f32>
//# bind write shares array<f32>
//# bind write y array<f32>
//# params T CB OB HEADS PAIR DIM STEP QAT KAT VAT FIRST QUERIES

fn lane(plane: u32, c: u32, t: u32) -> u32 { return 4u * ((plane + c / 4u) * p.T + t) + c % 4u; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let pair = id.z / 3u;
  let sample = (p.PAIR + pair) / p.HEADS;
  let head = (p.PAIR + pair) % p.HEADS;
  let plane = sample * p.CB;
  let c = head * p.STEP + id.y;
  let matrix = pair * p.QUERIES * p.T;
  var v = 0.0;
  var to = 0u;
  var add = {{ADD}} == 1;
  if (id.z % 3u == 0u) {
    if (id.x >= p.QUERIES) { return; }
    to = lane(plane, p.QAT + c, p.FIRST + id.x);
    let from_ = lane(plane, p.KAT + c, 0u);
    for (var u = 0u; u < p.T; u++) { v += slopes[matrix + id.x * p.T + u] * qkv[from_ + 4u * u]; }
  } else {
    if (id.x >= p.T) { return; }
    add = add || p.FIRST > 0u;
    if (id.z % 3u == 1u) {
      to = lane(plane, p.KAT + c, id.x);
      let from_ = lane(plane, p.QAT + c, p.FIRST);
      for (var t = 0u; t < p.QUERIES; t++) { v += slopes[matrix + t * p.T + id.x] * qkv[from_ + 4u * t]; }
    } else {
      to = lane(plane, p.VAT + c, id.x);
      let from_ = lane(sample * p.OB, head * p.DIM + id.y, p.FIRST);
      for (var t = 0u; t < p.QUERIES; t++) { v += shares[matrix + t * p.T + id.x] * d[from_ + 4u * t]; }
    }
  }
  if (add) { v += y[to]; }
  y[to] = v;
}
