// What an operator reads (plan.Read): x0 and x1 concatenated, CB0 of CB blocks
// from x0; times scale plus shift; SiLU; resampled from IH×IW: RESAMPLE is 0,
// 1 for twice the size (nearest) or 2 for half (mean of 2×2).
//# bind write x0 array<T>
//# if CONCAT
//# bind write x1 array<T>
//# end
//# if AFFINE
//# bind write affine array<vec4<f32>>
//# end

fn source(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  //# if CONCAT
  var v: vec4<f32>;
  if (block < p.CB0) {
    v = widen(x0[(n * p.CB0 + block) * area + at]);
  } else {
    v = widen(x1[(n * (p.CB - p.CB0) + block - p.CB0) * area + at]);
  }
  //# else
  var v = widen(x0[(n * p.CB + block) * area + at]);
  //# end
  //# if AFFINE
  let a = n * 2u * p.CB + block;
  v = v * affine[a] + affine[a + p.CB];
  //# end
  //# if SILU
  v = v / (1.0 + exp(min(-v, vec4<f32>(80.0))));
  //# end
  return v;
}

fn resampled(n: u32, block: u32, row: u32, col: u32) -> vec4<f32> {
  //# if RESAMPLE == 0
  return source(n, block, row * p.IW + col);
  //# end
  //# if RESAMPLE == 1
  return source(n, block, (row / 2u) * p.IW + col / 2u);
  //# end
  //# if RESAMPLE == 2
  let at = 2u * row * p.IW + 2u * col;
  return 0.25 * (source(n, block, at) + source(n, block, at + 1u) + source(n, block, at + p.IW) + source(n, block, at + p.IW + 1u));
  //# end
}
