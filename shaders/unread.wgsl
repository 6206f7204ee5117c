// The way back through what read.wgsl does: d, of DB blocks, is the gradient by
// what a Read gives, and unread leads it to the Read's scaled and shifted input,
// through the resampling and the slope of SiLU. x0 and x1 are what was read,
// affine lies as in read.wgsl.
//# bind write d array<vec4<f32>>
//# if READS
//# bind write x0 array<vec4<f32>>
//# if CONCAT
//# bind write x1 array<vec4<f32>>
//# end
//# end
//# if AFFINE
//# bind write affine array<vec4<f32>>
//# end

//# if READS
fn raw(n: u32, block: u32, at: u32) -> vec4<f32> {
  let area = p.IH * p.IW;
  //# if CONCAT
  if (block >= p.CB0) { return x1[(n * (p.CB - p.CB0) + block - p.CB0) * area + at]; }
  return x0[(n * p.CB0 + block) * area + at];
  //# else
  return x0[(n * p.CB + block) * area + at];
  //# end
}
//# end

fn unread(n: u32, block: u32, at: u32) -> vec4<f32> {
  let plane = n * p.CB + block;
  let row = at / p.IW;
  let col = at % p.IW;
  //# if RESAMPLE == 0
  var v = d[plane * p.IH * p.IW + at];
  //# end
  //# if RESAMPLE == 1
  let from_ = (plane * 2u * p.IH + 2u * row) * 2u * p.IW + 2u * col;
  var v = d[from_] + d[from_ + 1u] + d[from_ + 2u * p.IW] + d[from_ + 2u * p.IW + 1u];
  //# end
  //# if RESAMPLE == 2
  var v = 0.25 * d[(plane * (p.IH / 2u) + row / 2u) * (p.IW / 2u) + col / 2u];
  //# end
  //# if SILU
  var z = raw(n, block, at);
  //# if AFFINE
  let a = n * 2u * p.CB + block;
  z = z * affine[a] + affine[a + p.CB];
  //# end
  let s = 1.0 / (1.0 + exp(min(-z, vec4<f32>(80.0))));
  v *= s * (1.0 + z * (1.0 - s));
  //# end
  return v;
}
