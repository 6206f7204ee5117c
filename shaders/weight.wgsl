// Weights lie as matrices: row (tap·CI + c) for input channel c, CI being a
// multiple of 16, and in a row WB blocks of four output channels, of W: four
// floats, or with W16 four halves. What is beyond the channels is zero.
//# if W16
alias W = vec2<u32>;
fn factor(v: W) -> vec4<f32> { return vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y)); }
//# else
alias W = vec4<f32>;
fn factor(v: W) -> vec4<f32> { return v; }
//# end
