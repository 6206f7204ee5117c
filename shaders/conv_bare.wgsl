// The convolution of conv.wgsl without workgroup memory: every thread makes TM
// pixels × 4·TN channels straight out of the buffers. Software adapters run this
// many times faster, for they pay for each barrier by saving all invocations;
// the weights' addresses are the same in a workgroup, so they load them once.
// A workgroup of BM/TM threads makes BM pixels × 4·BN channels; BN is TN.
//# if RAW == 2
alias T = vec4<f32>;
alias W = vec4<f32>;
fn factor(v: W) -> vec4<f32> { return v; }
//# bind write x0 array<T>
//# bind write w array<W>
//# else
//# include store
//# include read
//# include weight
//# bind read w array<W>
//# end
//# if RAW
//# bind write y array<vec4<f32>>
//# else
//# bind read bias array<vec4<f32>>
//# include write
//# end
//# params IH IW H W CB CB0 OH OW OB M FIRST O0 WB CI STEPS

@compute @workgroup_size({{WX}})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let first_o = group.y * {{BN}}u;
  //# for i TM
  let m{{i}} = (group.x + p.FIRST) * {{BM}}u + lid + {{i * WX}}u;
  //# if RAW != 2
  let n{{i}} = m{{i}} / (p.OH * p.OW);
  let row{{i}} = i32(m{{i}} % (p.OH * p.OW) / p.OW * {{STRIDE}}u) - {{K / 2}};
  let col{{i}} = i32(m{{i}} % p.OW * {{STRIDE}}u) - {{K / 2}};
  //# end
  //# for j TN
  var c{{i}}_{{j}} = vec4<f32>(0.0);
  //# end
  //# end
  //# for j TN
  let o{{j}} = min(first_o + {{j}}u, p.WB - 1u);
  //# end

  //# if RAW == 1
  let rows = p.CI / 16u;
  let start = group.z * p.STEPS;
  let end = min(start + p.STEPS, {{K * K}}u * rows);
  for (var s = start; s < end; s++) {
    let tap = s / rows;
    let first = s % rows * 4u;
    let last = min(first + 4u, p.CB);
  //# else
  for (var tap = 0u; tap < {{K * K}}u; tap++) {
    let first = 0u;
    let last = p.CB;
  //# end
    //# if RAW != 2
    //# for i TM
    let y{{i}} = row{{i}} + i32(tap / {{K}}u);
    let x{{i}}_ = col{{i}} + i32(tap % {{K}}u);
    let inside{{i}} = m{{i}} < p.M && y{{i}} >= 0 && y{{i}} < i32(p.H) && x{{i}}_ >= 0 && x{{i}}_ < i32(p.W);
    //# end
    //# end
    for (var b = first; b < last; b++) {
      //# for i TM
      var a{{i}} = vec4<f32>(0.0);
      //# if RAW == 2
      a{{i}} = x0[(group.z * p.CB + b) * p.M + min(m{{i}}, p.M - 1u)];
      //# else
      if (inside{{i}}) { a{{i}} = resampled(n{{i}}, b, u32(y{{i}}), u32(x{{i}}_)); }
      //# end
      //# end
      //# if RAW == 2
      let at = (group.z * p.CI + b * 4u) * p.WB;
      //# else
      let at = (tap * p.CI + b * 4u) * p.WB;
      //# end
      //# for j TN
      {
        //# for l 4
        let b{{l}} = factor(w[at + {{l}}u * p.WB + o{{j}}]);
        //# end
        //# for i TM
        c{{i}}_{{j}} += a{{i}}.x * b0;
        c{{i}}_{{j}} += a{{i}}.y * b1;
        c{{i}}_{{j}} += a{{i}}.z * b2;
        c{{i}}_{{j}} += a{{i}}.w * b3;
        //# end
      }
      //# end
    }
  }

  // Written out once, since such adapters take seconds to compile a long shader.
  var made: array<vec4<f32>, {{TM * TN}}>;
  //# for j TN
  //# for i TM
  made[{{j * TM + i}}] = c{{i}}_{{j}};
  //# end
  //# end
  for (var k = 0u; k < {{TM * TN}}u; k++) {
    let m = (group.x + p.FIRST) * {{BM}}u + lid + k % {{TM}}u * {{WX}}u;
    let o = first_o + k / {{TM}}u;
    if (m < p.M && o < p.WB) {
      //# if RAW
      y[(group.z * p.OB + o) * p.M + m] = made[k];
      //# else
      emit(m / (p.OH * p.OW), p.O0 + o, m % (p.OH * p.OW), made[k] + bias[p.O0 + o]);
      //# end
    }
  }
}
