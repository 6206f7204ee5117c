// A step of Muon, and of the moving average, over a matrix of ROWS × OB·4, which
// is columns of one of WB·4, from block FIRST on:
//
//   w = w·KEEP − RATE/√norm · U·Q,  average += FOLLOW·(w − average)
//
// U lies in the gradient's place, which is cleared when all have read it. A
// thread makes 4 rows of one block. Workgroup 8×8.
@group(0) @binding(0) var<storage, read_write> u: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> average: array<vec4<f32>>;
struct Params {
  ROWS: u32,
  WB: u32,
  FIRST: u32,
  OB: u32,
  KEEP: f32,
  RATE: f32,
  FOLLOW: f32,
}
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.OB || 4u * id.y >= p.ROWS) { return; }
  let row = 4u * id.y * p.WB + p.FIRST;
  var s: array<vec4<f32>, 4>;
  for (var k = 0u; k < p.OB; k++) {
    let at = 4u * k * p.OB + id.x;
    let m = mat4x4<f32>(q[at], q[at + p.OB], q[at + 2u * p.OB], q[at + 3u * p.OB]);
    s[0] += m * u[row + 0u * p.WB + k];
    s[1] += m * u[row + 1u * p.WB + k];
    s[2] += m * u[row + 2u * p.WB + k];
    s[3] += m * u[row + 3u * p.WB + k];
  }
  let rate = p.RATE / sqrt(norm[0]);
  {
    let at = row + 0u * p.WB + id.x;
    let v = p.KEEP * w[at] - rate * s[0];
    w[at] = v;
    average[at] += p.FOLLOW * (v - average[at]);
  }
  {
    let at = row + 1u * p.WB + id.x;
    let v = p.KEEP * w[at] - rate * s[1];
    w[at] = v;
    average[at] += p.FOLLOW * (v - average[at]);
  }
  {
    let at = row + 2u * p.WB + id.x;
    let v = p.KEEP * w[at] - rate * s[2];
    w[at] = v;
    average[at] += p.FOLLOW * (v - average[at]);
  }
  {
    let at = row + 3u * p.WB + id.x;
    let v = p.KEEP * w[at] - rate * s[3];
    w[at] = v;
    average[at] += p.FOLLOW * (v - average[at]);
  }
}
