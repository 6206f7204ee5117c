// What is added to a result (plan.Write), of OB blocks and OH×OW pixels: shift
// to every pixel of a channel, and the residual, resampled like RESIDUAL-1 says
// (see read.wgsl); RESIDUAL 0 is none.
//# if SHIFT
//# bind write shift array<vec4<f32>>
//# end
//# if RESIDUAL
//# bind write residual array<T>
//# end
//# bind write y array<T>

fn emit(n: u32, block: u32, at: u32, result: vec4<f32>) {
  var v = result;
  let plane = n * p.OB + block;
  //# if SHIFT
  v += shift[plane];
  //# end
  //# if RESIDUAL == 1
  v += widen(residual[plane * p.OH * p.OW + at]);
  //# end
  //# if RESIDUAL == 2
  v += widen(residual[(plane * (p.OH / 2u) + at / p.OW / 2u) * (p.OW / 2u) + at % p.OW / 2u]);
  //# end
  //# if RESIDUAL == 3
  let r = (plane * 2u * p.OH + 2u * (at / p.OW)) * 2u * p.OW + 2u * (at % p.OW);
  v += 0.25 * (widen(residual[r]) + widen(residual[r + 1u]) + widen(residual[r + 2u * p.OW]) + widen(residual[r + 2u * p.OW + 1u]));
  //# end
  y[plane * p.OH * p.OW + at] = narrow(v);
}
