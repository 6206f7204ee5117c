// Activations lie in blocks of four channels, N × C/4 × H×W of T: four floats,
// or with F16 four halves. Lanes beyond the last channel hold zeros.
//# if F16
alias T = vec2<u32>;
fn widen(v: T) -> vec4<f32> { return vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y)); }
fn narrow(v: vec4<f32>) -> T {
  let c = clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0));
  return T(pack2x16float(c.xy), pack2x16float(c.zw));
}
//# else
alias T = vec4<f32>;
fn widen(v: T) -> vec4<f32> { return v; }
fn narrow(v: vec4<f32>) -> T { return v; }
//# end
