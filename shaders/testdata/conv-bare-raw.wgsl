// The convolution of conv.wgsl without workgroup memory: every thread makes TM
// pixels × 4·TN channels straight out of the buffers. Software adapters run this
// many times faster, for they pay for each barrier by saving all invocations;
// the weights' addresses are the same in a workgroup, so they load them once.
// A workgroup of BM/TM threads makes BM pixels × 4·BN channels; BN is TN.
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

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let first_o = group.y * 4u;
  let m0 = (group.x + p.FIRST) * 64u + lid + 0u;
  var c0_0 = vec4<f32>(0.0);
  var c0_1 = vec4<f32>(0.0);
  var c0_2 = vec4<f32>(0.0);
  var c0_3 = vec4<f32>(0.0);
  let o0 = min(first_o + 0u, p.WB - 1u);
  let o1 = min(first_o + 1u, p.WB - 1u);
  let o2 = min(first_o + 2u, p.WB - 1u);
  let o3 = min(first_o + 3u, p.WB - 1u);

  for (var tap = 0u; tap < 1u; tap++) {
    let first = 0u;
    let last = p.CB;
    for (var b = first; b < last; b++) {
      var a0 = vec4<f32>(0.0);
      a0 = x0[(group.z * p.CB + b) * p.M + min(m0, p.M - 1u)];
      let at = (group.z * p.CI + b * 4u) * p.WB;
      {
        let b0 = factor(w[at + 0u * p.WB + o0]);
        let b1 = factor(w[at + 1u * p.WB + o0]);
        let b2 = factor(w[at + 2u * p.WB + o0]);
        let b3 = factor(w[at + 3u * p.WB + o0]);
        c0_0 += a0.x * b0;
        c0_0 += a0.y * b1;
        c0_0 += a0.z * b2;
        c0_0 += a0.w * b3;
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
      }
    }
  }

  // Written out once, since such adapters take seconds to compile a long shader.
  var made: array<vec4<f32>, 4>;
  made[0] = c0_0;
  made[1] = c0_1;
  made[2] = c0_2;
  made[3] = c0_3;
  for (var k = 0u; k < 4u; k++) {
    let m = (group.x + p.FIRST) * 64u + lid + k % 1u * 64u;
    let o = first_o + k / 1u;
    if (m < p.M && o < p.WB) {
      y[(group.z * p.OB + o) * p.M + m] = made[k];
    }
  }
}
