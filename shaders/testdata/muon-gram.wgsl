// UᵀU of a matrix of ROWS × OB·4, which is columns of one of WB·4, from block
// FIRST on. A thread makes 4×4 sums. Workgroup 8×8.
@group(0) @binding(0) var<storage, read_write> u: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  ROWS: u32,
  WB: u32,
  FIRST: u32,
  OB: u32,
}
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.OB || id.y >= p.OB) { return; }
  var s: array<vec4<f32>, 4>;
  for (var k = 0u; k < p.ROWS; k++) {
    let a = u[k * p.WB + p.FIRST + id.y];
    let b = u[k * p.WB + p.FIRST + id.x];
    s[0] += a[0] * b;
    s[1] += a[1] * b;
    s[2] += a[2] * b;
    s[3] += a[3] * b;
  }
  y[(4u * id.y + 0u) * p.OB + id.x] = s[0];
  y[(4u * id.y + 1u) * p.OB + id.x] = s[1];
  y[(4u * id.y + 2u) * p.OB + id.x] = s[2];
  y[(4u * id.y + 3u) * p.OB + id.x] = s[3];
}
