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
//# bind write x array<vec4<f32>>
//# bind write d array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params H W CB OH OW OB CI WB O0 ROWS PER PART

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = group.x * 64u + lid;
  let tap = i / (p.CI / 4u);
  let block = i % (p.CI / 4u);
  let part = p.PART + group.z;
  if (tap >= {{K * K}}u) { return; }
  let first = group.y * {{TN}}u;
  //# for j TN
  let o{{j}} = p.O0 + min(first + {{j}}u, p.WB - 1u);
  //# for l 4
  var c{{j}}_{{l}} = vec4<f32>(0.0);
  //# end
  //# end
  if (block < p.CB) { // rows without an input channel are zeros
    let down = i32(tap / {{K}}u) - {{K / 2}};
    let right = i32(tap % {{K}}u) - {{K / 2}};
    for (var r = part * p.PER; r < min((part + 1u) * p.PER, p.ROWS); r++) {
      let n = r / p.OH;
      let row = i32(r % p.OH * {{STRIDE}}u) + down;
      let known = row >= 0 && row < i32(p.H);
      let from_ = ((n * p.CB + block) * p.H + u32(clamp(row, 0, i32(p.H) - 1))) * p.W;
      //# for j TN
      let d{{j}} = ((n * p.OB + o{{j}}) * p.OH + r % p.OH) * p.OW;
      //# end
      for (var m = 0u; m < p.OW; m++) {
        let col = i32(m * {{STRIDE}}u) + right;
        let v = x[from_ + u32(clamp(col, 0, i32(p.W) - 1))];
        let a = select(vec4<f32>(0.0), v, known && col >= 0 && col < i32(p.W));
        //# for j TN
        let g{{j}} = d[d{{j}} + m];
        c{{j}}_0 += a.x * g{{j}};
        c{{j}}_1 += a.y * g{{j}};
        c{{j}}_2 += a.z * g{{j}};
        c{{j}}_3 += a.w * g{{j}};
        //# end
      }
    }
  }
  let to = ((part * {{K * K}}u + tap) * p.CI + 4u * block) * p.WB + first;
  //# for j TN
  if (first + {{j}}u < p.WB) {
    //# for l 4
    y[to + {{l}}u * p.WB + {{j}}u] = c{{j}}_{{l}};
    //# end
  }
  //# end
}
