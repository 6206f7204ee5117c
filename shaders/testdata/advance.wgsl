// The bridge's next state (bridge.State.Update),
//
//   x ← C0·x̂0 + CX·x + C1·x1 + CH0·h0 + CH1·h1 + NOISE·ε,
//
// with the saved combinations h, and known pixels put back under a mask (255 is
// a hole). Noise is Philox4x32-10 and Box–Muller as bridge.NewNoise says, which
// gives the four columns of a counter to one thread; RECORDED noise is read.
// Rows are PITCH floats; those of one call start with row Y of a CHANNEL, which is
// row AT of its band, row X0_AT of x̂0's, which is zeroed once read if it is a
// RING, and row X1_AT of x1's. Workgroup 64 along the columns; log, cosine and sine
// are polynomials, for WGSL promises few digits of its own.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> x0: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> x1: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> h0: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> h1: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> mask: array<u32>;
struct Params {
  PITCH: u32,
  CHANNEL: u32,
  Y: u32,
  AT: u32,
  X0_AT: u32,
  X1_AT: u32,
  KEY0: u32,
  KEY1: u32,
  STEP: u32,
  DRAW: u32,
  MASK_DRAW: u32,
  SAVE: u32,
  MASK_X0: u32,
  CX: f32,
  C0: f32,
  C1: f32,
  CH0: f32,
  CH1: f32,
  NOISE: f32,
  SAVE_X: f32,
  SAVE_X0: f32,
  MASK_NOISE: f32,
}
@group(0) @binding(6) var<uniform> p: Params;

// high is the upper half of a product.
fn high(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let low = al * bl;
  let mid = ah * bl + (low >> 16u);
  let cross = al * bh + (mid & 0xffffu);
  return ah * bh + (mid >> 16u) + (cross >> 16u);
}

fn philox(counter: vec4<u32>) -> vec4<u32> {
  var c = counter;
  var k0 = p.KEY0;
  var k1 = p.KEY1;
  for (var i = 0; i < 10; i++) {
    c = vec4<u32>(high(c.z, 0xCD9E8D57u) ^ c.y ^ k0, c.z * 0xCD9E8D57u, high(c.x, 0xD2511F53u) ^ c.w ^ k1, c.x * 0xD2511F53u);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

// logarithm of normal positive numbers to 1e-7 relative, also close to 1.
fn logarithm(v: vec2<f32>) -> vec2<f32> {
  let bits = bitcast<vec2<u32>>(v);
  var e = vec2<f32>(vec2<i32>((bits >> vec2<u32>(23u)) & vec2<u32>(255u)) - vec2<i32>(126));
  var m = bitcast<vec2<f32>>((bits & vec2<u32>(0x007fffffu)) | vec2<u32>(0x3f000000u));
  let low = m < vec2<f32>(0.70710678);
  m = select(m, m + m, low);
  e = select(e, e - 1.0, low);
  let f = m - 1.0;
  let z = f * f;
  var q = f * 7.0376836292e-2 - 1.1514610310e-1;
  q = q * f + 1.1676998740e-1;
  q = q * f - 1.2420140846e-1;
  q = q * f + 1.4249322787e-1;
  q = q * f - 1.6668057665e-1;
  q = q * f + 2.0000714765e-1;
  q = q * f - 2.4999993993e-1;
  q = q * f + 3.3333331174e-1;
  q = q * f * z - e * 2.12194440e-4 - 0.5 * z;
  return f + q + e * 0.693359375;
}

// circle is cosine and sine of 2πv for v in [0, 1], by quadrants.
fn circle(v: f32) -> vec2<f32> {
  let n = floor(4.0 * v + 0.5);
  let r = (4.0 * v - n) * 1.5707963268;
  let z = r * r;
  let s = ((z * -1.9515295891e-4 + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
  let c = ((z * 2.443315711809948e-5 - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
  switch (u32(n) & 3u) {
    case 0u: { return vec2<f32>(c, s); }
    case 1u: { return vec2<f32>(-s, c); }
    case 2u: { return vec2<f32>(-c, -s); }
    default: { return vec2<f32>(s, -c); }
  }
}

// normals of four columns.
fn normals(quad: u32, row: u32, channel: u32, draw: u32) -> vec4<f32> {
  let words = philox(vec4<u32>(quad, row, channel, (draw << 24u) | p.STEP));
  let u = (vec4<f32>(words >> vec4<u32>(9u)) + 0.5) * 1.1920928955078125e-7;
  let r = sqrt(-2.0 * logarithm(u.xz));
  return vec4<f32>(r.x * circle(u.y), r.y * circle(u.w));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.PITCH / 4u) { return; }
  let at = (p.AT + id.y) * (p.PITCH / 4u) + id.x;
  let x0_at = (p.X0_AT + id.y) * (p.PITCH / 4u) + id.x;
  let x1_at = (p.X1_AT + id.y) * (p.PITCH / 4u) + id.x;
  let line = p.Y + id.y;
  let old = x[at];
  var clean = x0[x0_at];
  let bytes = mask[line * (p.PITCH / 4u) + id.x];
  let hole = vec4<f32>((vec4<u32>(bytes) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u)) / 255.0;
  if (p.MASK_X0 != 0u) {
    clean = clean * hole + x1[x1_at] * (1.0 - hole);
    x0[x0_at] = clean;
  }
  var next = p.C0 * clean + p.CX * old;
  if (p.C1 != 0.0) { next += p.C1 * x1[x1_at]; }
  if (p.CH0 != 0.0) { next += p.CH0 * h0[at]; }
  if (p.CH1 != 0.0) { next += p.CH1 * h1[at]; }
  if (p.NOISE != 0.0) {
    next += p.NOISE * normals(id.x, line, p.CHANNEL, p.DRAW);
  }
  if (p.SAVE != 0u) {
    h1[at] = h0[at];
    h0[at] = p.SAVE_X * old + p.SAVE_X0 * clean;
  }
  var known = x1[x1_at];
  if (p.MASK_NOISE != 0.0) {
    known += p.MASK_NOISE * normals(id.x, line, p.CHANNEL, p.MASK_DRAW);
  }
  next = select((1.0 - hole) * known + hole * next, next, hole == vec4<f32>(1.0));
  x[at] = next;
  x0[x0_at] = vec4<f32>(0.0);
}
