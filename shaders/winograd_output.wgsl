// The last stage of Winograd's F(TILE×TILE, 3×3): y = Aᵀ M A of every tile, and
// what write.wgsl adds. A thread makes one tile of one block of channels; M is
// [frequency][block][tile] for SB blocks from O0 on and the T tiles from FIRST
// on. Workgroup 64 along the tiles. ROLLED: see winograd_input.wgsl.
//# include store
//# bind write products array<vec4<f32>>
//# bind read bias array<vec4<f32>>
//# include write
//# params OH OW OB O0 SB TH TW T FIRST

fn put(n: u32, block: u32, row: u32, col: u32, v: vec4<f32>) {
  if (row < p.OH && col < p.OW) { emit(n, block, row * p.OW + col, v + bias[block]); }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.T) { return; }
  let tile = p.FIRST + id.x;
  let n = tile / (p.TH * p.TW);
  let row = tile / p.TW % p.TH * {{TILE}}u;
  let col = tile % p.TW * {{TILE}}u;
  let at = id.y * p.T + id.x;
  let step = p.SB * p.T;
  //# for j TILE + 2
  //# for i TILE + 2
  let m{{i}}_{{j}} = products[at + {{i * (TILE + 2) + j}}u * step];
  //# end
  //# if TILE == 4
  let a{{j}} = m1_{{j}} + m2_{{j}};
  let b{{j}} = m1_{{j}} - m2_{{j}};
  let c{{j}} = m3_{{j}} + m4_{{j}};
  let d{{j}} = m3_{{j}} - m4_{{j}};
  let t0_{{j}} = m0_{{j}} + a{{j}} + c{{j}};
  let t1_{{j}} = b{{j}} + 2.0 * d{{j}};
  let t2_{{j}} = a{{j}} + 4.0 * c{{j}};
  let t3_{{j}} = b{{j}} + 8.0 * d{{j}} + m5_{{j}};
  //# else
  let t0_{{j}} = m0_{{j}} + m1_{{j}} + m2_{{j}};
  let t1_{{j}} = m1_{{j}} - m2_{{j}} - m3_{{j}};
  //# end
  //# end
  let block = p.O0 + id.y;
  //# for i TILE
  //# if TILE == 4
  let e{{i}} = t{{i}}_1 + t{{i}}_2;
  let f{{i}} = t{{i}}_1 - t{{i}}_2;
  let g{{i}} = t{{i}}_3 + t{{i}}_4;
  let h{{i}} = t{{i}}_3 - t{{i}}_4;
  let r{{i}}_0 = t{{i}}_0 + e{{i}} + g{{i}};
  let r{{i}}_1 = f{{i}} + 2.0 * h{{i}};
  let r{{i}}_2 = e{{i}} + 4.0 * g{{i}};
  let r{{i}}_3 = f{{i}} + 8.0 * h{{i}} + t{{i}}_5;
  //# else
  let r{{i}}_0 = t{{i}}_0 + t{{i}}_1 + t{{i}}_2;
  let r{{i}}_1 = t{{i}}_1 - t{{i}}_2 - t{{i}}_3;
  //# end
  //# if ROLLED == 0
  //# for j TILE
  put(n, block, row + {{i}}u, col + {{j}}u, r{{i}}_{{j}});
  //# end
  //# end
  //# end
  //# if ROLLED
  var r: array<vec4<f32>, {{TILE * TILE}}>;
  //# for i TILE
  //# for j TILE
  r[{{i * TILE + j}}] = r{{i}}_{{j}};
  //# end
  //# end
  for (var k = 0u; k < {{TILE * TILE}}u; k++) {
    put(n, block, row + k / {{TILE}}u, col + k % {{TILE}}u, r[k]);
  }
  //# end
}
