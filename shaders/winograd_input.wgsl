// The first stage of Winograd's F(TILE×TILE, 3×3): V = Bᵀ d B of every tile's
// (TILE+2)² pixels, where what read.wgsl says is done once for each. A thread
// makes one tile of one block of channels; V is [frequency][block][tile] for
// the T tiles from FIRST on. Workgroup 64 along the tiles. ROLLED is for adapters
// that take seconds to compile a long shader: what is read is written out once.
//# include store
//# include read
//# bind write v array<vec4<f32>>
//# params IH IW H W CB CB0 TH TW T FIRST

fn pixel(n: u32, block: u32, row: i32, col: i32) -> vec4<f32> {
  if (row < 0 || row >= i32(p.H) || col < 0 || col >= i32(p.W)) { return vec4<f32>(0.0); }
  return resampled(n, block, u32(row), u32(col));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.T) { return; }
  let tile = p.FIRST + id.x;
  let n = tile / (p.TH * p.TW);
  let row = i32(tile / p.TW % p.TH * {{TILE}}u) - 1;
  let col = i32(tile % p.TW * {{TILE}}u) - 1;
  //# if ROLLED
  var d: array<vec4<f32>, {{(TILE + 2) * (TILE + 2)}}>;
  for (var k = 0; k < {{(TILE + 2) * (TILE + 2)}}; k++) {
    d[k] = pixel(n, id.y, row + k / {{TILE + 2}}, col + k % {{TILE + 2}});
  }
  //# end
  //# for j TILE + 2
  //# for i TILE + 2
  //# if ROLLED
  let d{{i}}_{{j}} = d[{{i * (TILE + 2) + j}}];
  //# else
  let d{{i}}_{{j}} = pixel(n, id.y, row + {{i}}, col + {{j}});
  //# end
  //# end
  //# if TILE == 4
  let a{{j}} = d4_{{j}} - 4.0 * d2_{{j}};
  let b{{j}} = d3_{{j}} - 4.0 * d1_{{j}};
  let e{{j}} = d4_{{j}} - d2_{{j}};
  let f{{j}} = 2.0 * (d3_{{j}} - d1_{{j}});
  let t0_{{j}} = 4.0 * d0_{{j}} + (d4_{{j}} - 5.0 * d2_{{j}});
  let t1_{{j}} = a{{j}} + b{{j}};
  let t2_{{j}} = a{{j}} - b{{j}};
  let t3_{{j}} = e{{j}} + f{{j}};
  let t4_{{j}} = e{{j}} - f{{j}};
  let t5_{{j}} = 4.0 * d1_{{j}} + (d5_{{j}} - 5.0 * d3_{{j}});
  //# else
  let t0_{{j}} = d0_{{j}} - d2_{{j}};
  let t1_{{j}} = d1_{{j}} + d2_{{j}};
  let t2_{{j}} = d2_{{j}} - d1_{{j}};
  let t3_{{j}} = d1_{{j}} - d3_{{j}};
  //# end
  //# end
  let step = p.CB * p.T;
  var to = id.y * p.T + id.x;
  //# for i TILE + 2
  {
    //# if TILE == 4
    let a = t{{i}}_4 - 4.0 * t{{i}}_2;
    let b = t{{i}}_3 - 4.0 * t{{i}}_1;
    let e = t{{i}}_4 - t{{i}}_2;
    let f = 2.0 * (t{{i}}_3 - t{{i}}_1);
    v[to] = 4.0 * t{{i}}_0 + (t{{i}}_4 - 5.0 * t{{i}}_2);
    v[to + step] = a + b;
    v[to + 2u * step] = a - b;
    v[to + 3u * step] = e + f;
    v[to + 4u * step] = e - f;
    v[to + 5u * step] = 4.0 * t{{i}}_1 + (t{{i}}_5 - 5.0 * t{{i}}_3);
    //# else
    v[to] = t{{i}}_0 - t{{i}}_2;
    v[to + step] = t{{i}}_1 + t{{i}}_2;
    v[to + 2u * step] = t{{i}}_2 - t{{i}}_1;
    v[to + 3u * step] = t{{i}}_1 - t{{i}}_3;
    //# end
    to += {{TILE + 2}}u * step;
  }
  //# end
}
