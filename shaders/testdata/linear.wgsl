// y = b + Σ x[c] · w[c, o], SiLU first if so asked (plan.Linear). A workgroup
// makes 16 blocks of outputs of one sample, with four threads for each that
// take every fourth block of inputs. Vectors are always floats.
// Weights lie as matrices: row (tap·CI + c) for input channel c, CI being a
// multiple of 16, and in a row WB blocks of four output channels, of W: four
// floats, or with W16 four halves. What is beyond the channels is zero.
alias W = vec4<f32>;
fn factor(v: W) -> vec4<f32> { return v; }
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
struct Params {
  CB: u32,
  O0: u32,
  OB: u32,
  WB: u32,
}
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> parts: array<vec4<f32>, 64>;

@compute @workgroup_size(16, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let o = group.x * 16u + id.x;
  var sum = vec4<f32>(0.0);
  if (o < p.WB) {
    for (var block = id.y; block < p.CB; block += 4u) {
      var v = x[group.y * p.CB + block];
      v = v / (1.0 + exp(min(-v, vec4<f32>(80.0))));
      let at = 4u * block * p.WB + o;
      sum += v.x * factor(w[at]);
      sum += v.y * factor(w[at + p.WB]);
      sum += v.z * factor(w[at + 2u * p.WB]);
      sum += v.w * factor(w[at + 3u * p.WB]);
    }
  }
  parts[id.y * 16u + id.x] = sum;
  workgroupBarrier();
  if (id.y == 0u && o < p.WB) {
    y[group.y * p.OB + p.O0 + o] = bias[p.O0 + o] + parts[id.x] + parts[id.x + 16u] + parts[id.x + 32u] + parts[id.x + 48u];
  }
}
