// DIAGONAL·I + PLAIN·A + TIMES·A·B of square matrices of OB·4; with SQUARE, B is
// A, which cannot be bound twice. A thread makes 4×4 elements. Workgroup 8×8.
@group(0) @binding(0) var<storage, read_write> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  OB: u32,
  DIAGONAL: f32,
  PLAIN: f32,
  TIMES: f32,
}
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.OB || id.y >= p.OB) { return; }
  let row = 4u * id.y * p.OB;
  var s: array<vec4<f32>, 4>;
  for (var q = 0u; q < p.OB; q++) {
    let at = 4u * q * p.OB + id.x;
    let m = mat4x4<f32>(b[at], b[at + p.OB], b[at + 2u * p.OB], b[at + 3u * p.OB]);
    s[0] += m * a[row + 0u * p.OB + q];
    s[1] += m * a[row + 1u * p.OB + q];
    s[2] += m * a[row + 2u * p.OB + q];
    s[3] += m * a[row + 3u * p.OB + q];
  }
  {
    var v = p.TIMES * s[0] + p.PLAIN * a[row + 0u * p.OB + id.x];
    if (id.x == id.y) { v[0] += p.DIAGONAL; }
    y[row + 0u * p.OB + id.x] = v;
  }
  {
    var v = p.TIMES * s[1] + p.PLAIN * a[row + 1u * p.OB + id.x];
    if (id.x == id.y) { v[1] += p.DIAGONAL; }
    y[row + 1u * p.OB + id.x] = v;
  }
  {
    var v = p.TIMES * s[2] + p.PLAIN * a[row + 2u * p.OB + id.x];
    if (id.x == id.y) { v[2] += p.DIAGONAL; }
    y[row + 2u * p.OB + id.x] = v;
  }
  {
    var v = p.TIMES * s[3] + p.PLAIN * a[row + 3u * p.OB + id.x];
    if (id.x == id.y) { v[3] += p.DIAGONAL; }
    y[row + 3u * p.OB + id.x] = v;
  }
}
