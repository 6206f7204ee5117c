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

var<workgroup> as_: array<vec4<f32>, {{4 * BM}}>;
var<workgroup> bs: array<vec4<f32>, {{16 * BN}}>;

@compute @workgroup_size({{WX}}, {{WY}})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let tx = lid % {{WX}}u;
  let ty = lid / {{WX}}u;
  let m0 = (group.x + p.FIRST) * {{BM}}u;
  let o0 = group.y * {{BN}}u;
  let rows = p.CI / 16u; // steps of a tap

  // This thread fetches one pixel's blocks.
  let m = m0 + lid % {{BM}}u;
  let mine = lid / {{BM}}u;
  //# if RAW != 2
  let n = m / (p.OH * p.OW);
  let at = m % (p.OH * p.OW);
  let row0 = i32(at / p.OW * {{STRIDE}}u) - {{K / 2}};
  let col0 = i32(at % p.OW * {{STRIDE}}u) - {{K / 2}};
  //# end

  //# for i TM
  //# for j TN
  var c{{i}}_{{j}} = vec4<f32>(0.0);
  //# end
  //# end
  //# for i 4 * BM / (WX * WY)
  var fa{{i}}: vec4<f32>;
  //# end
  //# for i (16 * BN + WX * WY - 1) / (WX * WY)
  var fb{{i}}: vec4<f32>;
  //# end

  //# if RAW == 1
  let start = group.z * p.STEPS;
  let end = min(start + p.STEPS, {{K * K}}u * rows);
  //# else
  let start = 0u;
  let end = {{K * K}}u * rows;
  //# end
  var tap = start / rows;
  var block = start % rows * 4u;
  for (var s = start; s <= end; s++) {
    if (s < end) {
      //# if RAW == 2
      let inside = m < p.M;
      //# else
      let row = row0 + i32(tap / {{K}}u);
      let col = col0 + i32(tap % {{K}}u);
      let inside = m < p.M && row >= 0 && row < i32(p.H) && col >= 0 && col < i32(p.W);
      //# end
      //# for i 4 * BM / (WX * WY)
      {
        let b = block + mine + {{i * (WX * WY / BM)}}u;
        fa{{i}} = vec4<f32>(0.0);
        if (inside && b < p.CB) {
          //# if RAW == 2
          fa{{i}} = x0[(group.z * p.CB + b) * p.M + m];
          //# else
          fa{{i}} = resampled(n, b, u32(row), u32(col));
          //# end
        }
      }
      //# end
      //# for i (16 * BN + WX * WY - 1) / (WX * WY)
      {
        let l = lid + {{i * WX * WY}}u;
        //# if 16 * BN < WX * WY
        if (l < {{16 * BN}}u) {
        //# end
        let o = min(o0 + l % {{BN}}u, p.WB - 1u);
        //# if RAW == 2
        fb{{i}} = factor(w[(group.z * p.CI + s * 16u + l / {{BN}}u) * p.WB + o]);
        //# else
        fb{{i}} = factor(w[(s * 16u + l / {{BN}}u) * p.WB + o]);
        //# end
        //# if 16 * BN < WX * WY
        }
        //# end
      }
      //# end
      block += 4u;
      if (block == rows * 4u) {
        block = 0u;
        tap++;
      }
    }
    if (s > start) {
      //# for k 4
      {
        //# for i TM
        let a{{i}} = as_[tx + {{k * BM + i * WX}}u];
        //# end
        //# for j TN
        {
          //# for l 4
          let b{{l}} = bs[ty + {{(4 * k + l) * BN + j * WY}}u];
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
      //# end
    }
    workgroupBarrier();
    //# for i 4 * BM / (WX * WY)
    as_[lid + {{i * WX * WY}}u] = fa{{i}};
    //# end
    //# for i (16 * BN + WX * WY - 1) / (WX * WY)
    //# if 16 * BN < WX * WY
    if (lid < {{16 * BN}}u) {
      bs[lid] = fb{{i}};
    }
    //# else
    bs[lid + {{i * WX * WY}}u] = fb{{i}};
    //# end
    //# end
    workgroupBarrier();
  }

  //# for j TN
  {
    let o = o0 + ty + {{j * WY}}u;
    if (o < p.WB) {
      //# for i TM
      {
        let to = m0 + tx + {{i * WX}}u;
        if (to < p.M) {
          //# if RAW
          y[(group.z * p.OB + o) * p.M + to] = c{{i}}_{{j}};
          //# else
          emit(to / (p.OH * p.OW), p.O0 + o, to % (p.OH * p.OW), c{{i}}_{{j}} + bias[p.O0 + o]);
          //# end
        }
      }
      //# end
    }
  }
  //# end
}
