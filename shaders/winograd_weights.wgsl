// The weights of Winograd's F(TILE×TILE, 3×3): U = G g Gᵀ, [frequency][input
// channel][block] for SB blocks from O0 on. A thread makes one input channel of
// one block. Workgroup 64 along the blocks.
//# include weight
//# bind read w array<W>
//# bind write u array<vec4<f32>>
//# params CI WB O0 SB

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.CI * p.SB) { return; }
  let channel = id.x / p.SB;
  let block = id.x % p.SB;
  let from_ = channel * p.WB + p.O0 + block;
  let tap = p.CI * p.WB;
  //# for j 3
  //# for i 3
  let g{{i}}_{{j}} = factor(w[from_ + {{3 * i + j}}u * tap]);
  //# end
  //# if TILE == 4
  let s{{j}} = (g0_{{j}} + g2_{{j}}) / 6.0;
  let r{{j}} = g0_{{j}} / 24.0 + g2_{{j}} / 6.0;
  let t0_{{j}} = 0.25 * g0_{{j}};
  let t1_{{j}} = -s{{j}} - g1_{{j}} / 6.0;
  let t2_{{j}} = -s{{j}} + g1_{{j}} / 6.0;
  let t3_{{j}} = r{{j}} + g1_{{j}} / 12.0;
  let t4_{{j}} = r{{j}} - g1_{{j}} / 12.0;
  let t5_{{j}} = g2_{{j}};
  //# else
  let t0_{{j}} = g0_{{j}};
  let t1_{{j}} = 0.5 * (g0_{{j}} + g2_{{j}} + g1_{{j}});
  let t2_{{j}} = 0.5 * (g0_{{j}} + g2_{{j}} - g1_{{j}});
  let t3_{{j}} = g2_{{j}};
  //# end
  //# end
  let step = p.CI * p.SB;
  var to = channel * p.SB + block;
  //# for i TILE + 2
  {
    //# if TILE == 4
    let s = (t{{i}}_0 + t{{i}}_2) / 6.0;
    let r = t{{i}}_0 / 24.0 + t{{i}}_2 / 6.0;
    u[to] = 0.25 * t{{i}}_0;
    u[to + step] = -s - t{{i}}_1 / 6.0;
    u[to + 2u * step] = -s + t{{i}}_1 / 6.0;
    u[to + 3u * step] = r + t{{i}}_1 / 12.0;
    u[to + 4u * step] = r - t{{i}}_1 / 12.0;
    u[to + 5u * step] = t{{i}}_2;
    //# else
    u[to] = t{{i}}_0;
    u[to + step] = 0.5 * (t{{i}}_0 + t{{i}}_2 + t{{i}}_1);
    u[to + 2u * step] = 0.5 * (t{{i}}_0 + t{{i}}_2 - t{{i}}_1);
    u[to + 3u * step] = t{{i}}_2;
    //# end
    to += {{TILE + 2}}u * step;
  }
  //# end
}
