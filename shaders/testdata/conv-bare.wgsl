// The convolution of conv.wgsl without workgroup memory: every thread makes TM
// pixels × 4·TN channels straight out of the buffers. Software adapters run this
// many times faster, for they pay for each barrier by saving all invocations;
// the weights' addresses are the same in a workgroup, so they load them once.
// A workgroup of BM/TM threads makes BM pixels × 4·BN channels; BN is TN.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
// What an operator reads (plan.Read): x0 and x1 concatenated, CB0 of CB blocks
// from x0; times scale plus shift; SiLU; resampled from IH×IW: RESAMPLE is 0,
// 1 for twice the size (nearest) or 2 for half (mean of 2×2).
@group(0) @binding(0) var<storage, read_write> x0: array<T>;
@group(0) @binding(1) var<storage, read_write> x1: array<T>;
@group(0) @binding(2) var<storage, read_write> affine: array<vec4<f32>>;

fn source(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  var v: vec4<f32>;
  if (block < p.CB0) {
    v = widen(x0[(n * p.CB0 + block) * area + at]);
  } else {
    v = widen(x1[(n * (p.CB - p.CB0) + block - p.CB0) * area + at]);
  }
  let a = n * 2u * p.CB + block;
  v = v * affine[a] + affine[a + p.CB];
  v = v / (1.0 + exp(min(-v, vec4<f32>(80.0))));
  return v;
}

fn resampled(n: u32, block: u32, row: u32, col: u32) -> vec4<f32> {
  return source(n, block, row * p.IW + col);
}
// Weights lie as matrices: row (tap·CI + c) for input channel c, CI being a
// multiple of 16, and in a row WB blocks of four output channels, of W: four
// floats, or with W16 four halves. What is beyond the channels is zero.
alias W = vec4<f32>;
fn factor(v: W) -> vec4<f32> { return v; }
@group(0) @binding(3) var<storage, read> w: array<W>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;
// What is added to a result (plan.Write), of OB blocks and OH×OW pixels: shift
// to every pixel of a channel, and the residual, resampled like RESIDUAL-1 says
// (see read.wgsl); RESIDUAL 0 is none.
@group(0) @binding(5) var<storage, read_write> residual: array<T>;
@group(0) @binding(6) var<storage, read_write> y: array<T>;

fn emit(n: u32, block: u32, at: u32, result: vec4<f32>) {
  var v = result;
  let plane = n * p.OB + block;
  v += widen(residual[plane * p.OH * p.OW + at]);
  y[plane * p.OH * p.OW + at] = narrow(v);
}
struct Params {
  IH: u32,
  IW: u32,
  H: u32,
  W: u32,
  CB: u32,
  CB0: u32,
  OH: u32,
  OW: u32,
  OB: u32,
  M: u32,
  FIRST: u32,
  O0: u32,
  WB: u32,
  CI: u32,
  STEPS: u32,
}
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let first_o = group.y * 4u;
  let m0 = (group.x + p.FIRST) * 256u + lid + 0u;
  let n0 = m0 / (p.OH * p.OW);
  let row0 = i32(m0 % (p.OH * p.OW) / p.OW * 1u) - 1;
  let col0 = i32(m0 % p.OW * 1u) - 1;
  var c0_0 = vec4<f32>(0.0);
  var c0_1 = vec4<f32>(0.0);
  var c0_2 = vec4<f32>(0.0);
  var c0_3 = vec4<f32>(0.0);
  let m1 = (group.x + p.FIRST) * 256u + lid + 64u;
  let n1 = m1 / (p.OH * p.OW);
  let row1 = i32(m1 % (p.OH * p.OW) / p.OW * 1u) - 1;
  let col1 = i32(m1 % p.OW * 1u) - 1;
  var c1_0 = vec4<f32>(0.0);
  var c1_1 = vec4<f32>(0.0);
  var c1_2 = vec4<f32>(0.0);
  var c1_3 = vec4<f32>(0.0);
  let m2 = (group.x + p.FIRST) * 256u + lid + 128u;
  let n2 = m2 / (p.OH * p.OW);
  let row2 = i32(m2 % (p.OH * p.OW) / p.OW * 1u) - 1;
  let col2 = i32(m2 % p.OW * 1u) - 1;
  var c2_0 = vec4<f32>(0.0);
  var c2_1 = vec4<f32>(0.0);
  var c2_2 = vec4<f32>(0.0);
  var c2_3 = vec4<f32>(0.0);
  let m3 = (group.x + p.FIRST) * 256u + lid + 192u;
  let n3 = m3 / (p.OH * p.OW);
  let row3 = i32(m3 % (p.OH * p.OW) / p.OW * 1u) - 1;
  let col3 = i32(m3 % p.OW * 1u) - 1;
  var c3_0 = vec4<f32>(0.0);
  var c3_1 = vec4<f32>(0.0);
  var c3_2 = vec4<f32>(0.0);
  var c3_3 = vec4<f32>(0.0);
  let o0 = min(first_o + 0u, p.WB - 1u);
  let o1 = min(first_o + 1u, p.WB - 1u);
  let o2 = min(first_o + 2u, p.WB - 1u);
  let o3 = min(first_o + 3u, p.WB - 1u);

  for (var tap = 0u; tap < 9u; tap++) {
    let first = 0u;
    let last = p.CB;
    let y0 = row0 + i32(tap / 3u);
    let x0_ = col0 + i32(tap % 3u);
    let inside0 = m0 < p.M && y0 >= 0 && y0 < i32(p.H) && x0_ >= 0 && x0_ < i32(p.W);
    let y1 = row1 + i32(tap / 3u);
    let x1_ = col1 + i32(tap % 3u);
    let inside1 = m1 < p.M && y1 >= 0 && y1 < i32(p.H) && x1_ >= 0 && x1_ < i32(p.W);
    let y2 = row2 + i32(tap / 3u);
    let x2_ = col2 + i32(tap % 3u);
    let inside2 = m2 < p.M && y2 >= 0 && y2 < i32(p.H) && x2_ >= 0 && x2_ < i32(p.W);
    let y3 = row3 + i32(tap / 3u);
    let x3_ = col3 + i32(tap % 3u);
    let inside3 = m3 < p.M && y3 >= 0 && y3 < i32(p.H) && x3_ >= 0 && x3_ < i32(p.W);
    for (var b = first; b < last; b++) {
      var a0 = vec4<f32>(0.0);
      if (inside0) { a0 = resampled(n0, b, u32(y0), u32(x0_)); }
      var a1 = vec4<f32>(0.0);
      if (inside1) { a1 = resampled(n1, b, u32(y1), u32(x1_)); }
      var a2 = vec4<f32>(0.0);
      if (inside2) { a2 = resampled(n2, b, u32(y2), u32(x2_)); }
      var a3 = vec4<f32>(0.0);
      if (inside3) { a3 = resampled(n3, b, u32(y3), u32(x3_)); }
      let at = (tap * p.CI + b * 4u) * p.WB;
      {
        let b0 = factor(w[at + 0u * p.WB + o0]);
        let b1 = factor(w[at + 1u * p.WB + o0]);
        let b2 = factor(w[at + 2u * p.WB + o0]);
        let b3 = factor(w[at + 3u * p.WB + o0]);
        c0_0 += a0.x * b0;
        c0_0 += a0.y * b1;
        c0_0 += a0.z * b2;
        c0_0 += a0.w * b3;
        c1_0 += a1.x * b0;
        c1_0 += a1.y * b1;
        c1_0 += a1.z * b2;
        c1_0 += a1.w * b3;
        c2_0 += a2.x * b0;
        c2_0 += a2.y * b1;
        c2_0 += a2.z * b2;
        c2_0 += a2.w * b3;
        c3_0 += a3.x * b0;
        c3_0 += a3.y * b1;
        c3_0 += a3.z * b2;
        c3_0 += a3.w * b3;
      }
      {
        let b0 = factor(w[at + 0u * p.WB + o1]);
        let b1 = factor(w[at + 1u * p.WB + o1]);
        let b2 = factor(w[at + 2u * p.WB + o1]);
        let b3 = factor(w[at + 3u * p.WB + o1]);
        c0_1 += a0.x * b0;
        c0_1 += a0.y * b1;
        c0_1 += a0.z * b2;
        c0_1 += a0.w * b3;
        c1_1 += a1.x * b0;
        c1_1 += a1.y * b1;
        c1_1 += a1.z * b2;
        c1_1 += a1.w * b3;
        c2_1 += a2.x * b0;
        c2_1 += a2.y * b1;
        c2_1 += a2.z * b2;
        c2_1 += a2.w * b3;
        c3_1 += a3.x * b0;
        c3_1 += a3.y * b1;
        c3_1 += a3.z * b2;
        c3_1 += a3.w * b3;
      }
      {
        let b0 = factor(w[at + 0u * p.WB + o2]);
        let b1 = factor(w[at + 1u * p.WB + o2]);
        let b2 = factor(w[at + 2u * p.WB + o2]);
        let b3 = factor(w[at + 3u * p.WB + o2]);
        c0_2 += a0.x * b0;
        c0_2 += a0.y * b1;
        c0_2 += a0.z * b2;
        c0_2 += a0.w * b3;
        c1_2 += a1.x * b0;
        c1_2 += a1.y * b1;
        c1_2 += a1.z * b2;
        c1_2 += a1.w * b3;
        c2_2 += a2.x * b0;
        c2_2 += a2.y * b1;
        c2_2 += a2.z * b2;
        c2_2 += a2.w * b3;
        c3_2 += a3.x * b0;
        c3_2 += a3.y * b1;
        c3_2 += a3.z * b2;
        c3_2 += a3.w * b3;
      }
      {
        let b0 = factor(w[at + 0u * p.WB + o3]);
        let b1 = factor(w[at + 1u * p.WB + o3]);
        let b2 = factor(w[at + 2u * p.WB + o3]);
        let b3 = factor(w[at + 3u * p.WB + o3]);
        c0_3 += a0.x * b0;
        c0_3 += a0.y * b1;
        c0_3 += a0.z * b2;
        c0_3 += a0.w * b3;
        c1_3 += a1.x * b0;
        c1_3 += a1.y * b1;
        c1_3 += a1.z * b2;
        c1_3 += a1.w * b3;
        c2_3 += a2.x * b0;
        c2_3 += a2.y * b1;
        c2_3 += a2.z * b2;
        c2_3 += a2.w * b3;
        c3_3 += a3.x * b0;
        c3_3 += a3.y * b1;
        c3_3 += a3.z * b2;
        c3_3 += a3.w * b3;
      }
    }
  }

  // Written out once, since such adapters take seconds to compile a long shader.
  var made: array<vec4<f32>, 16>;
  made[0] = c0_0;
  made[1] = c1_0;
  made[2] = c2_0;
  made[3] = c3_0;
  made[4] = c0_1;
  made[5] = c1_1;
  made[6] = c2_1;
  made[7] = c3_1;
  made[8] = c0_2;
  made[9] = c1_2;
  made[10] = c2_2;
  made[11] = c3_2;
  made[12] = c0_3;
  made[13] = c1_3;
  made[14] = c2_3;
  made[15] = c3_3;
  for (var k = 0u; k < 16u; k++) {
    let m = (group.x + p.FIRST) * 256u + lid + k % 4u * 64u;
    let o = first_o + k / 4u;
    if (m < p.M && o < p.WB) {
      emit(m / (p.OH * p.OW), p.O0 + o, m % (p.OH * p.OW), made[k] + bias[p.O0 + o]);
    }
  }
}
