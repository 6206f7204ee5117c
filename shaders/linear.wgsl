// y = b + Σ x[c] · w[c, o], SiLU first if so asked (plan.Linear). A workgroup
// makes 16 blocks of outputs of one sample, with four threads for each that
// take every fourth block of inputs. Vectors are always floats.
//# include weight
//# bind write x array<vec4<f32>>
//# bind read w array<W>
//# bind read bias array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params CB O0 OB WB

var<workgroup> parts: array<vec4<f32>, 64>;

@compute @workgroup_size(16, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let o = group.x * 16u + id.x;
  var sum = vec4<f32>(0.0);
  if (o < p.WB) {
    for (var block = id.y; block < p.CB; block += 4u) {
      var v = x[group.y * p.CB + block];
      //# if SILU
      v = v / (1.0 + exp(min(-v, vec4<f32>(80.0))));
      //# end
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
