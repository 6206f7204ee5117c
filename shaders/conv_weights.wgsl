// The gradient by a convolution's weights (plan.ParamBack):
//
//   w[tap, c, o] = Σ x[pixel(m, tap), c] · d[m, o]   over the pixels m
//
// x is what the convolution read, of H×W pixels and CB blocks, d the gradient by
// its result, of OH×OW. Lies as weight.wgsl says: CI rows a tap, and of a row
// the WB blocks from O0 on. A workgroup of WX × WY threads makes 4·TM·WX input
// channels of a tap by 4·TN·WY outputs; a thread TM blocks by TN blocks. The
// third dimension is a part of the N·OH rows of pixels, PER of them, whose sums
// go to a place of their own.
//# bind write x array<vec4<f32>>
//# bind write d array<vec4<f32>>
//# bind write y array<vec4<f32>>
//# params H W CB OH OW OB CI WB O0 ROWS PER TILES

@compute @workgroup_size({{WX}}, {{WY}})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
  let tap = group.x / p.TILES;
  let first = (group.x % p.TILES * {{WX}}u + id.x) * {{TM}}u;
  let first_o = (group.y * {{WY}}u + id.y) * {{TN}}u;
  if (4u * first >= p.CI || first_o >= p.WB) { return; }
  //# for i TM
  let b{{i}} = min(first + {{i}}u, p.CB - 1u);
  //# end
  //# for j TN
  let o{{j}} = p.O0 + min(first_o + {{j}}u, p.WB - 1u);
  //# end
  //# for i TM
  //# for j TN
  //# for l 4
  var c{{i}}_{{j}}_{{l}} = vec4<f32>(0.0);
  //# end
  //# end
  //# end
  let down = i32(tap / {{K}}u) - {{K / 2}};
  let right = i32(tap % {{K}}u) - {{K / 2}};
  let left = select(0u, (u32(-right) + {{STRIDE - 1}}u) / {{STRIDE}}u, right < 0);
  for (var r = group.z * p.PER; r < min((group.z + 1u) * p.PER, p.ROWS); r++) {
    let n = r / p.OH;
    let row = i32(r % p.OH * {{STRIDE}}u) + down;
    if (row < 0 || row >= i32(p.H)) { continue; }
    //# for i TM
    let x{{i}} = ((n * p.CB + b{{i}}) * p.H + u32(row)) * p.W;
    //# end
    //# for j TN
    let d{{j}} = ((n * p.OB + o{{j}}) * p.OH + r % p.OH) * p.OW;
    //# end
    for (var m = left; m < p.OW; m++) {
      let col = u32(i32(m * {{STRIDE}}u) + right);
      if (col >= p.W) { break; }
      //# for i TM
      let a{{i}} = x[x{{i}} + col];
      //# end
      //# for j TN
      {
        let g = d[d{{j}} + m];
        //# for i TM
        c{{i}}_{{j}}_0 += a{{i}}.x * g;
        c{{i}}_{{j}}_1 += a{{i}}.y * g;
        c{{i}}_{{j}}_2 += a{{i}}.z * g;
        c{{i}}_{{j}}_3 += a{{i}}.w * g;
        //# end
      }
      //# end
    }
  }
  //# for i TM
  if (4u * (first + {{i}}u) < p.CI) { // rows without an input channel are zeros
    let known = first + {{i}}u < p.CB;
    let row = (group.z * {{K * K}}u + tap) * p.CI + 4u * (first + {{i}}u);
    //# for j TN
    if (first_o + {{j}}u < p.WB) {
      //# for l 4
      y[(row + {{l}}u) * p.WB + first_o + {{j}}u] = select(vec4<f32>(0.0), c{{i}}_{{j}}_{{l}}, known);
      //# end
    }
    //# end
  }
  //# end
}
