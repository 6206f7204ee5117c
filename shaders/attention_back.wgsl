// The way back of attention, last stage, with what attention_slopes.wgsl made of
// QUERIES queries from FIRST on:
//
//   dq[t] = Σ dS[t, u]·k[u],  dk[u] = Σ dS[t, u]·q[t],  dv[u] = Σ P[t, u]·d[t]
//
// A thread makes one channel of one pixel of them; dk and dv come on top of what
// earlier queries gave unless FIRST is 0, and with ADD all come on top of what is
// there. Grid: pixels by 64, channels of a head, and of the third dimension 0 is
// q, 1 is k and 2 is v. Workgroup 64.
//# bind write qkv array<f32>
//# bind write d array<f32>
//# bind write slopes array<f32>
//# bind write shares array<f32>
//# bind write y array<f32>
//# params T CB OB SAMPLE QAT KAT VAT DAT FIRST QUERIES

fn lane(blocks: u32, c: u32, t: u32) -> u32 { return 4u * ((p.SAMPLE * blocks + c / 4u) * p.T + t) + c % 4u; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var v = 0.0;
  var to = 0u;
  var add = {{ADD}} == 1;
  if (id.z == 0u) {
    if (id.x >= p.QUERIES) { return; }
    to = lane(p.CB, p.QAT + id.y, p.FIRST + id.x);
    let from_ = lane(p.CB, p.KAT + id.y, 0u);
    for (var u = 0u; u < p.T; u++) { v += slopes[id.x * p.T + u] * qkv[from_ + 4u * u]; }
  } else {
    if (id.x >= p.T) { return; }
    add = add || p.FIRST > 0u;
    if (id.z == 1u) {
      to = lane(p.CB, p.KAT + id.y, id.x);
      let from_ = lane(p.CB, p.QAT + id.y, p.FIRST);
      for (var t = 0u; t < p.QUERIES; t++) { v += slopes[t * p.T + id.x] * qkv[from_ + 4u * t]; }
    } else {
      to = lane(p.CB, p.VAT + id.y, id.x);
      let from_ = lane(p.OB, p.DAT + id.y, p.FIRST);
      for (var t = 0u; t < p.QUERIES; t++) { v += shares[t * p.T + id.x] * d[from_ + 4u * t]; }
    }
  }
  if (add) { v += y[to]; }
  y[to] = v;
}
