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
alias T = vec4<f32>;
alias W = vec4<f32>;
fn factor(v: W) -> vec4<f32> { return v; }
@group(0) @binding(0) var<storage, read_write> x0: array<T>;
@group(0) @binding(1) var<storage, read_write> w: array<W>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
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
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> as_: array<vec4<f32>, 512>;
var<workgroup> bs: array<vec4<f32>, 512>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let tx = lid % 16u;
  let ty = lid / 16u;
  let m0 = (group.x + p.FIRST) * 128u;
  let o0 = group.y * 32u;
  let rows = p.CI / 16u; // steps of a tap

  // This thread fetches one pixel's blocks.
  let m = m0 + lid % 128u;
  let mine = lid / 128u;

  var c0_0 = vec4<f32>(0.0);
  var c0_1 = vec4<f32>(0.0);
  var c1_0 = vec4<f32>(0.0);
  var c1_1 = vec4<f32>(0.0);
  var c2_0 = vec4<f32>(0.0);
  var c2_1 = vec4<f32>(0.0);
  var c3_0 = vec4<f32>(0.0);
  var c3_1 = vec4<f32>(0.0);
  var c4_0 = vec4<f32>(0.0);
  var c4_1 = vec4<f32>(0.0);
  var c5_0 = vec4<f32>(0.0);
  var c5_1 = vec4<f32>(0.0);
  var c6_0 = vec4<f32>(0.0);
  var c6_1 = vec4<f32>(0.0);
  var c7_0 = vec4<f32>(0.0);
  var c7_1 = vec4<f32>(0.0);
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
      let inside = m < p.M;
      {
        let b = block + mine + 0u;
        fa0 = vec4<f32>(0.0);
        if (inside && b < p.CB) {
          fa0 = x0[(group.z * p.CB + b) * p.M + m];
        }
      }
      {
        let b = block + mine + 2u;
        fa1 = vec4<f32>(0.0);
        if (inside && b < p.CB) {
          fa1 = x0[(group.z * p.CB + b) * p.M + m];
        }
      }
      {
        let l = lid + 0u;
        let o = min(o0 + l % 32u, p.WB - 1u);
        fb0 = factor(w[(group.z * p.CI + s * 16u + l / 32u) * p.WB + o]);
      }
      {
        let l = lid + 256u;
        let o = min(o0 + l % 32u, p.WB - 1u);
        fb1 = factor(w[(group.z * p.CI + s * 16u + l / 32u) * p.WB + o]);
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
        let a1 = as_[tx + 16u];
        let a2 = as_[tx + 32u];
        let a3 = as_[tx + 48u];
        let a4 = as_[tx + 64u];
        let a5 = as_[tx + 80u];
        let a6 = as_[tx + 96u];
        let a7 = as_[tx + 112u];
        {
          let b0 = bs[ty + 0u];
          let b1 = bs[ty + 32u];
          let b2 = bs[ty + 64u];
          let b3 = bs[ty + 96u];
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
          c4_0 += a4.x * b0;
          c4_0 += a4.y * b1;
          c4_0 += a4.z * b2;
          c4_0 += a4.w * b3;
          c5_0 += a5.x * b0;
          c5_0 += a5.y * b1;
          c5_0 += a5.z * b2;
          c5_0 += a5.w * b3;
          c6_0 += a6.x * b0;
          c6_0 += a6.y * b1;
          c6_0 += a6.z * b2;
          c6_0 += a6.w * b3;
          c7_0 += a7.x * b0;
          c7_0 += a7.y * b1;
          c7_0 += a7.z * b2;
          c7_0 += a7.w * b3;
        }
        {
          let b0 = bs[ty + 16u];
          let b1 = bs[ty + 48u];
          let b2 = bs[ty + 80u];
          let b3 = bs[ty + 112u];
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
          c4_1 += a4.x * b0;
          c4_1 += a4.y * b1;
          c4_1 += a4.z * b2;
          c4_1 += a4.w * b3;
          c5_1 += a5.x * b0;
          c5_1 += a5.y * b1;
          c5_1 += a5.z * b2;
          c5_1 += a5.w * b3;
          c6_1 += a6.x * b0;
          c6_1 += a6.y * b1;
          c6_1 += a6.z * b2;
          c6_1 += a6.w * b3;
          c7_1 += a7.x * b0;
          c7_1 += a7.y * b1;
          c7_1 += a7.z * b2;
          c7_1 += a7.w * b3;
        }
      }
      {
        let a0 = as_[tx + 128u];
        let a1 = as_[tx + 144u];
        let a2 = as_[tx + 160u];
        let a3 = as_[tx + 176u];
        let a4 = as_[tx + 192u];
        let a5 = as_[tx + 208u];
        let a6 = as_[tx + 224u];
        let a7 = as_[tx + 240u];
        {
          let b0 = bs[ty + 128u];
          let b1 = bs[ty + 160u];
          let b2 = bs[ty + 192u];
          let b3 = bs[ty + 224u];
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
          c4_0 += a4.x * b0;
          c4_0 += a4.y * b1;
          c4_0 += a4.z * b2;
          c4_0 += a4.w * b3;
          c5_0 += a5.x * b0;
          c5_0 += a5.y * b1;
          c5_0 += a5.z * b2;
          c5_0 += a5.w * b3;
          c6_0 += a6.x * b0;
          c6_0 += a6.y * b1;
          c6_0 += a6.z * b2;
          c6_0 += a6.w * b3;
          c7_0 += a7.x * b0;
          c7_0 += a7.y * b1;
          c7_0 += a7.z * b2;
          c7_0 += a7.w * b3;
        }
        {
          let b0 = bs[ty + 144u];
          let b1 = bs[ty + 176u];
          let b2 = bs[ty + 208u];
          let b3 = bs[ty + 240u];
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
          c4_1 += a4.x * b0;
          c4_1 += a4.y * b1;
          c4_1 += a4.z * b2;
          c4_1 += a4.w * b3;
          c5_1 += a5.x * b0;
          c5_1 += a5.y * b1;
          c5_1 += a5.z * b2;
          c5_1 += a5.w * b3;
          c6_1 += a6.x * b0;
          c6_1 += a6.y * b1;
          c6_1 += a6.z * b2;
          c6_1 += a6.w * b3;
          c7_1 += a7.x * b0;
          c7_1 += a7.y * b1;
          c7_1 += a7.z * b2;
          c7_1 += a7.w * b3;
        }
      }
      {
        let a0 = as_[tx + 256u];
        let a1 = as_[tx + 272u];
        let a2 = as_[tx + 288u];
        let a3 = as_[tx + 304u];
        let a4 = as_[tx + 320u];
        let a5 = as_[tx + 336u];
        let a6 = as_[tx + 352u];
        let a7 = as_[tx + 368u];
        {
          let b0 = bs[ty + 256u];
          let b1 = bs[ty + 288u];
          let b2 = bs[ty + 320u];
          let b3 = bs[ty + 352u];
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
          c4_0 += a4.x * b0;
          c4_0 += a4.y * b1;
          c4_0 += a4.z * b2;
          c4_0 += a4.w * b3;
          c5_0 += a5.x * b0;
          c5_0 += a5.y * b1;
          c5_0 += a5.z * b2;
          c5_0 += a5.w * b3;
          c6_0 += a6.x * b0;
          c6_0 += a6.y * b1;
          c6_0 += a6.z * b2;
          c6_0 += a6.w * b3;
          c7_0 += a7.x * b0;
          c7_0 += a7.y * b1;
          c7_0 += a7.z * b2;
          c7_0 += a7.w * b3;
        }
        {
          let b0 = bs[ty + 272u];
          let b1 = bs[ty + 304u];
          let b2 = bs[ty + 336u];
          let b3 = bs[ty + 368u];
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
          c4_1 += a4.x * b0;
          c4_1 += a4.y * b1;
          c4_1 += a4.z * b2;
          c4_1 += a4.w * b3;
          c5_1 += a5.x * b0;
          c5_1 += a5.y * b1;
          c5_1 += a5.z * b2;
          c5_1 += a5.w * b3;
          c6_1 += a6.x * b0;
          c6_1 += a6.y * b1;
          c6_1 += a6.z * b2;
          c6_1 += a6.w * b3;
          c7_1 += a7.x * b0;
          c7_1 += a7.y * b1;
          c7_1 += a7.z * b2;
          c7_1 += a7.w * b3;
        }
      }
      {
        let a0 = as_[tx + 384u];
        let a1 = as_[tx + 400u];
        let a2 = as_[tx + 416u];
        let a3 = as_[tx + 432u];
        let a4 = as_[tx + 448u];
        let a5 = as_[tx + 464u];
        let a6 = as_[tx + 480u];
        let a7 = as_[tx + 496u];
        {
          let b0 = bs[ty + 384u];
          let b1 = bs[ty + 416u];
          let b2 = bs[ty + 448u];
          let b3 = bs[ty + 480u];
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
          c4_0 += a4.x * b0;
          c4_0 += a4.y * b1;
          c4_0 += a4.z * b2;
          c4_0 += a4.w * b3;
          c5_0 += a5.x * b0;
          c5_0 += a5.y * b1;
          c5_0 += a5.z * b2;
          c5_0 += a5.w * b3;
          c6_0 += a6.x * b0;
          c6_0 += a6.y * b1;
          c6_0 += a6.z * b2;
          c6_0 += a6.w * b3;
          c7_0 += a7.x * b0;
          c7_0 += a7.y * b1;
          c7_0 += a7.z * b2;
          c7_0 += a7.w * b3;
        }
        {
          let b0 = bs[ty + 400u];
          let b1 = bs[ty + 432u];
          let b2 = bs[ty + 464u];
          let b3 = bs[ty + 496u];
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
          c4_1 += a4.x * b0;
          c4_1 += a4.y * b1;
          c4_1 += a4.z * b2;
          c4_1 += a4.w * b3;
          c5_1 += a5.x * b0;
          c5_1 += a5.y * b1;
          c5_1 += a5.z * b2;
          c5_1 += a5.w * b3;
          c6_1 += a6.x * b0;
          c6_1 += a6.y * b1;
          c6_1 += a6.z * b2;
          c6_1 += a6.w * b3;
          c7_1 += a7.x * b0;
          c7_1 += a7.y * b1;
          c7_1 += a7.z * b2;
          c7_1 += a7.w * b3;
        }
      }
    }
    workgroupBarrier();
    as_[lid + 0u] = fa0;
    as_[lid + 256u] = fa1;
    bs[lid + 0u] = fb0;
    bs[lid + 256u] = fb1;
    workgroupBarrier();
  }

  {
    let o = o0 + ty + 0u;
    if (o < p.WB) {
      {
        let to = m0 + tx + 0u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c0_0;
        }
      }
      {
        let to = m0 + tx + 16u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c1_0;
        }
      }
      {
        let to = m0 + tx + 32u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c2_0;
        }
      }
      {
        let to = m0 + tx + 48u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c3_0;
        }
      }
      {
        let to = m0 + tx + 64u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c4_0;
        }
      }
      {
        let to = m0 + tx + 80u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c5_0;
        }
      }
      {
        let to = m0 + tx + 96u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c6_0;
        }
      }
      {
        let to = m0 + tx + 112u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c7_0;
        }
      }
    }
  }
  {
    let o = o0 + ty + 16u;
    if (o < p.WB) {
      {
        let to = m0 + tx + 0u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c0_1;
        }
      }
      {
        let to = m0 + tx + 16u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c1_1;
        }
      }
      {
        let to = m0 + tx + 32u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c2_1;
        }
      }
      {
        let to = m0 + tx + 48u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c3_1;
        }
      }
      {
        let to = m0 + tx + 64u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c4_1;
        }
      }
      {
        let to = m0 + tx + 80u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c5_1;
        }
      }
      {
        let to = m0 + tx + 96u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c6_1;
        }
      }
      {
        let to = m0 + tx + 112u;
        if (to < p.M) {
          y[(group.z * p.OB + o) * p.M + to] = c7_1;
        }
      }
    }
  }
}
