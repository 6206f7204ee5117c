// A convolution as an implicit matrix product,
//
//   y[m, o] = b[o] + Σ x[pixel(m, tap), c] · w[tap, c, o]   over taps and c,
//
// and what read.wgsl and write.wgsl say before and after it. m counts the
// pixels of all samples. A workgroup makes BM pixels × 4·BN channels, with WX
// threads along the pixels and WY along the channels; a thread makes TM × 4·TN.
// Four blocks of channels of one tap are a step: they are fetched to registers
// while the step before is multiplied out of workgroup memory, where pixels and
// output blocks lie such that neighbouring threads read neighbouring vectors.
//
// With RAW the sums go, without anything added, to the part that the third
// dimension says: RAW 1 takes its share of steps (split K), RAW 2 its matrices
// (Winograd's frequencies; x0 is then [f][block][m]).
//
// Workgroup memory is 64·(BM + 4·BN) bytes; WX·WY is a multiple of BM.
// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
// What an operator reads (plan.Read): x0 and x1 concatenated, CB0 of CB blocks
// from x0; times scale plus shift; SiLU; resampled from IH×IW: RESAMPLE is 0,
// 1 for twice the size (nearest) or 2 for half (mean of 2×2).
@group(0) @binding(0) var<storage, read_write> x0: array<T>;

fn source(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  var v = widen(x0[(n * p.CB + block) * area + at]);
  return v;
}

fn resampled(n: u32, block: u32, row: u32, col: u32) -> vec4<f32> {
  return source(n, block, (row / 2u) * p.IW + col / 2u);
}
// Weights lie as matrices: row (tap·CI + c) for input channel c, CI being a
// multiple of 16, and in a row WB blocks of four output channels, of W: four
// floats, or with W16 four halves. What is beyond the channels is zero.
alias W = vec4<f32>;
fn factor(v: W) -> vec4<f32> { return v; }
@group(0) @binding(1) var<storage, read> w: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
// What is added to a result (plan.Write), of OB blocks and OH×OW pixels: shift
// to every pixel of a channel, and the residual, resampled like RESIDUAL-1 says
// (see read.wgsl); RESIDUAL 0 is none.
@group(0) @binding(3) var<storage, read_write> residual: array<T>;
@group(0) @binding(4) var<storage, read_write> y: array<T>;

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
@group(0) @binding(5) var<uniform> p: Params;

var<workgroup> as_: array<vec4<f32>, 128>;
var<workgroup> bs: array<vec4<f32>, 128>;

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let tx = lid % 8u;
  let ty = lid / 8u;
  let m0 = (group.x + p.FIRST) * 32u;
  let o0 = group.y * 8u;
  let rows = p.CI / 16u; // steps of a tap

  // This thread fetches one pixel's blocks.
  let m = m0 + lid % 32u;
  let mine = lid / 32u;
  let n = m / (p.OH * p.OW);
  let at = m % (p.OH * p.OW);
  let row0 = i32(at / p.OW * 1u) - 0;
  let col0 = i32(at % p.OW * 1u) - 0;

  var c0_0 = vec4<f32>(0.0);
  var c1_0 = vec4<f32>(0.0);
  var c2_0 = vec4<f32>(0.0);
  var c3_0 = vec4<f32>(0.0);
  var fa0: vec4<f32>;
  var fa1: vec4<f32>;
  var fb0: vec4<f32>;
  var fb1: vec4<f32>;

  let start = 0u;
  let end = 1u * rows;
  var tap = start / rows;
  var block = start % rows * 4u;
  for (var s = start; s <= end; s++) {
    if (s < end) {
      let row = row0 + i32(tap / 1u);
      let col = col0 + i32(tap % 1u);
      let inside = m < p.M && row >= 0 && row < i32(p.H) && col >= 0 && col < i32(p.W);
      {
        let b = block + mine + 0u;
        fa0 = vec4<f32>(0.0);
        if (inside && b < p.CB) {
          fa0 = resampled(n, b, u32(row), u32(col));
        }
      }
      {
        let b = block + mine + 2u;
        fa1 = vec4<f32>(0.0);
        if (inside && b < p.CB) {
          fa1 = resampled(n, b, u32(row), u32(col));
        }
      }
      {
        let l = lid + 0u;
        let o = min(o0 + l % 8u, p.WB - 1u);
        fb0 = factor(w[(s * 16u + l / 8u) * p.WB + o]);
      }
      {
        let l = lid + 64u;
        let o = min(o0 + l % 8u, p.WB - 1u);
        fb1 = factor(w[(s * 16u + l / 8u) * p.WB + o]);
      }
      block += 4u;
      if (block == rows * 4u) {
        block = 0u;
        tap++;
      }
    }
    if (s > start) {
      {
        let a0 = as_[tx + 0u];
        let a1 = as_[tx + 8u];
        let a2 = as_[tx + 16u];
        let a3 = as_[tx + 24u];
        {
          let b0 = bs[ty + 0u];
          let b1 = bs[ty + 8u];
          let b2 = bs[ty + 16u];
          let b3 = bs[ty + 24u];
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
      }
      {
        let a0 = as_[tx + 32u];
        let a1 = as_[tx + 40u];
        let a2 = as_[tx + 48u];
        let a3 = as_[tx + 56u];
        {
          let b0 = bs[ty + 32u];
          let b1 = bs[ty + 40u];
          let b2 = bs[ty + 48u];
          let b3 = bs[ty + 56u];
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
      }
      {
        let a0 = as_[tx + 64u];
        let a1 = as_[tx + 72u];
        let a2 = as_[tx + 80u];
        let a3 = as_[tx + 88u];
        {
          let b0 = bs[ty + 64u];
          let b1 = bs[ty + 72u];
          let b2 = bs[ty + 80u];
          let b3 = bs[ty + 88u];
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
      }
      {
        let a0 = as_[tx + 96u];
        let a1 = as_[tx + 104u];
        let a2 = as_[tx + 112u];
        let a3 = as_[tx + 120u];
        {
          let b0 = bs[ty + 96u];
          let b1 = bs[ty + 104u];
          let b2 = bs[ty + 112u];
          let b3 = bs[ty + 120u];
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
      }
    }
    workgroupBarrier();
    as_[lid + 0u] = fa0;
    as_[lid + 64u] = fa1;
    bs[lid + 0u] = fb0;
    bs[lid + 64u] = fb1;
    workgroupBarrier();
  }

  {
    let o = o0 + ty + 0u;
    if (o < p.WB) {
      {
        let to = m0 + tx + 0u;
        if (to < p.M) {
          emit(to / (p.OH * p.OW), p.O0 + o, to % (p.OH * p.OW), c0_0 + bias[p.O0 + o]);
        }
      }
      {
        let to = m0 + tx + 8u;
        if (to < p.M) {
          emit(to / (p.OH * p.OW), p.O0 + o, to % (p.OH * p.OW), c1_0 + bias[p.O0 + o]);
        }
      }
      {
        let to = m0 + tx + 16u;
        if (to < p.M) {
          emit(to / (p.OH * p.OW), p.O0 + o, to % (p.OH * p.OW), c2_0 + bias[p.O0 + o]);
        }
      }
      {
        let to = m0 + tx + 24u;
        if (to < p.M) {
          emit(to / (p.OH * p.OW), p.O0 + o, to % (p.OH * p.OW), c3_0 + bias[p.O0 + o]);
        }
      }
    }
  }
}
