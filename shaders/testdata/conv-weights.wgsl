// The gradient by a convolution's weights (plan.ParamBack):
//
//   w[tap, c, o] = Σ x[pixel(m, tap), c] · d[m, o]   over the pixels m
//
// x is what the convolution read, of H×W pixels and CB blocks, d the gradient by
// its result, of OH×OW and OB blocks. The sums lie as weight.wgsl says: CI rows
// a tap, and of a row the WB blocks from O0 on. A thread makes a block of input
// channels of a tap by TN blocks of outputs, which are the same in a workgroup
// of 64. The third dimension is a part of the N·OH rows of pixels, PER of them,
// from part PART on, whose sums go to a place of their own.
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  H: u32,
  W: u32,
  CB: u32,
  OH: u32,
  OW: u32,
  OB: u32,
  CI: u32,
  WB: u32,
  O0: u32,
  ROWS: u32,
  PER: u32,
  PART: u32,
}
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = group.x * 64u + lid;
  let tap = i / (p.CI / 4u);
  let block = i % (p.CI / 4u);
  let part = p.PART + group.z;
  if (tap >= 9u) { return; }
  let first = group.y * 4u;
  let o0 = p.O0 + min(first + 0u, p.WB - 1u);
  var c0_0 = vec4<f32>(0.0);
  var c0_1 = vec4<f32>(0.0);
  var c0_2 = vec4<f32>(0.0);
  var c0_3 = vec4<f32>(0.0);
  let o1 = p.O0 + min(first + 1u, p.WB - 1u);
  var c1_0 = vec4<f32>(0.0);
  var c1_1 = vec4<f32>(0.0);
  var c1_2 = vec4<f32>(0.0);
  var c1_3 = vec4<f32>(0.0);
  let o2 = p.O0 + min(first + 2u, p.WB - 1u);
  var c2_0 = vec4<f32>(0.0);
  var c2_1 = vec4<f32>(0.0);
  var c2_2 = vec4<f32>(0.0);
  var c2_3 = vec4<f32>(0.0);
  let o3 = p.O0 + min(first + 3u, p.WB - 1u);
  var c3_0 = vec4<f32>(0.0);
  var c3_1 = vec4<f32>(0.0);
  var c3_2 = vec4<f32>(0.0);
  var c3_3 = vec4<f32>(0.0);
  if (block < p.CB) { // rows without an input channel are zeros
    let down = i32(tap / 3u) - 1;
    let right = i32(tap % 3u) - 1;
    for (var r = part * p.PER; r < min((part + 1u) * p.PER, p.ROWS); r++) {
      let n = r / p.OH;
      let row = i32(r % p.OH * 1u) + down;
      let known = row >= 0 && row < i32(p.H);
      let from_ = ((n * p.CB + block) * p.H + u32(clamp(row, 0, i32(p.H) - 1))) * p.W;
      let d0 = ((n * p.OB + o0) * p.OH + r % p.OH) * p.OW;
      let d1 = ((n * p.OB + o1) * p.OH + r % p.OH) * p.OW;
      let d2 = ((n * p.OB + o2) * p.OH + r % p.OH) * p.OW;
      let d3 = ((n * p.OB + o3) * p.OH + r % p.OH) * p.OW;
      for (var m = 0u; m < p.OW; m++) {
        let col = i32(m * 1u) + right;
        let v = x[from_ + u32(clamp(col, 0, i32(p.W) - 1))];
        let a = select(vec4<f32>(0.0), v, known && col >= 0 && col < i32(p.W));
        let g0 = d[d0 + m];
        c0_0 += a.x * g0;
        c0_1 += a.y * g0;
        c0_2 += a.z * g0;
        c0_3 += a.w * g0;
        let g1 = d[d1 + m];
        c1_0 += a.x * g1;
        c1_1 += a.y * g1;
        c1_2 += a.z * g1;
        c1_3 += a.w * g1;
        let g2 = d[d2 + m];
        c2_0 += a.x * g2;
        c2_1 += a.y * g2;
        c2_2 += a.z * g2;
        c2_3 += a.w * g2;
        let g3 = d[d3 + m];
        c3_0 += a.x * g3;
        c3_1 += a.y * g3;
        c3_2 += a.z * g3;
        c3_3 += a.w * g3;
      }
    }
  }
  let to = ((part * 9u + tap) * p.CI + 4u * block) * p.WB + first;
  if (first + 0u < p.WB) {
    y[to + 0u * p.WB + 0u] = c0_0;
    y[to + 1u * p.WB + 0u] = c0_1;
    y[to + 2u * p.WB + 0u] = c0_2;
    y[to + 3u * p.WB + 0u] = c0_3;
  }
  if (first + 1u < p.WB) {
    y[to + 0u * p.WB + 1u] = c1_0;
    y[to + 1u * p.WB + 1u] = c1_1;
    y[to + 2u * p.WB + 1u] = c1_2;
    y[to + 3u * p.WB + 1u] = c1_3;
  }
  if (first + 2u < p.WB) {
    y[to + 0u * p.WB + 2u] = c2_0;
    y[to + 1u * p.WB + 2u] = c2_1;
    y[to + 2u * p.WB + 2u] = c2_2;
    y[to + 3u * p.WB + 2u] = c2_3;
  }
  if (first + 3u < p.WB) {
    y[to + 0u * p.WB + 3u] = c3_0;
    y[to + 1u * p.WB + 3u] = c3_1;
    y[to + 2u * p.WB + 3u] = c3_2;
    y[to + 3u * p.WB + 3u] = c3_3;
  }
}
