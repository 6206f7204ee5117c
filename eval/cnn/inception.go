package cnn

import (
	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/weights"
)

// OpenInception reads Inception v3 (Szegedy et al., 2016) as it is used for
// FID, with the names of pytorch-fid's file. It differs from others by means
// that do not count what lies beyond the border, and by a greatest value for
// a mean in the last block. Its answer is the 2048 means of the last block.
func OpenInception(src weights.Source) (*Network, error) {
	return load(src, inceptionSide, inception)
}

const inceptionSide = 299

// step is a convolution within a branch.
type step struct {
	name   string
	out    int
	kh, kw int
	stride int
	pad    bool // to keep the size
}

// chain applies steps of a block, each followed by ReLU.
func (n *Network) chain(x tensor, block string, steps ...step) tensor {
	for _, s := range steps {
		name := block + s.name
		c := spec{name + ".conv", name + ".bn", 1e-3, s.out, s.kh, s.kw, s.stride, 0, 0}
		if s.pad {
			c.ph, c.pw = s.kh/2, s.kw/2
		}
		x = relu(n.conv(x, c))
	}
	return x
}

func inception(n *Network, x tensor) tensor {
	x = n.chain(x, "", step{"Conv2d_1a_3x3", 32, 3, 3, 2, false}, step{"Conv2d_2a_3x3", 32, 3, 3, 1, false}, step{"Conv2d_2b_3x3", 64, 3, 3, 1, true})
	x = pool(x, 2, 0, false)
	x = n.chain(x, "", step{"Conv2d_3b_1x1", 80, 1, 1, 1, false}, step{"Conv2d_4a_3x3", 192, 3, 3, 1, false})
	x = pool(x, 2, 0, false)
	x = n.blockA(x, "Mixed_5b.", 32)
	x = n.blockA(x, "Mixed_5c.", 64)
	x = n.blockA(x, "Mixed_5d.", 64)
	x = n.blockB(x, "Mixed_6a.")
	x = n.blockC(x, "Mixed_6b.", 128)
	x = n.blockC(x, "Mixed_6c.", 160)
	x = n.blockC(x, "Mixed_6d.", 160)
	x = n.blockC(x, "Mixed_6e.", 192)
	x = n.blockD(x, "Mixed_7a.")
	x = n.blockE(x, "Mixed_7b.", true)
	x = n.blockE(x, "Mixed_7c.", false)
	return average(x)
}

func (n *Network) blockA(x tensor, b string, pooled int) tensor {
	return join(
		n.chain(x, b, step{"branch1x1", 64, 1, 1, 1, false}),
		n.chain(x, b, step{"branch5x5_1", 48, 1, 1, 1, false}, step{"branch5x5_2", 64, 5, 5, 1, true}),
		n.chain(x, b, step{"branch3x3dbl_1", 64, 1, 1, 1, false}, step{"branch3x3dbl_2", 96, 3, 3, 1, true}, step{"branch3x3dbl_3", 96, 3, 3, 1, true}),
		n.chain(pool(x, 1, 1, true), b, step{"branch_pool", pooled, 1, 1, 1, false}))
}

func (n *Network) blockB(x tensor, b string) tensor {
	return join(
		n.chain(x, b, step{"branch3x3", 384, 3, 3, 2, false}),
		n.chain(x, b, step{"branch3x3dbl_1", 64, 1, 1, 1, false}, step{"branch3x3dbl_2", 96, 3, 3, 1, true}, step{"branch3x3dbl_3", 96, 3, 3, 2, false}),
		pool(x, 2, 0, false))
}

func (n *Network) blockC(x tensor, b string, c int) tensor {
	return join(
		n.chain(x, b, step{"branch1x1", 192, 1, 1, 1, false}),
		n.chain(x, b, step{"branch7x7_1", c, 1, 1, 1, false}, step{"branch7x7_2", c, 1, 7, 1, true}, step{"branch7x7_3", 192, 7, 1, 1, true}),
		n.chain(x, b, step{"branch7x7dbl_1", c, 1, 1, 1, false}, step{"branch7x7dbl_2", c, 7, 1, 1, true}, step{"branch7x7dbl_3", c, 1, 7, 1, true},
			step{"branch7x7dbl_4", c, 7, 1, 1, true}, step{"branch7x7dbl_5", 192, 1, 7, 1, true}),
		n.chain(pool(x, 1, 1, true), b, step{"branch_pool", 192, 1, 1, 1, false}))
}

func (n *Network) blockD(x tensor, b string) tensor {
	return join(
		n.chain(x, b, step{"branch3x3_1", 192, 1, 1, 1, false}, step{"branch3x3_2", 320, 3, 3, 2, false}),
		n.chain(x, b, step{"branch7x7x3_1", 192, 1, 1, 1, false}, step{"branch7x7x3_2", 192, 1, 7, 1, true}, step{"branch7x7x3_3", 192, 7, 1, 1, true},
			step{"branch7x7x3_4", 192, 3, 3, 2, false}),
		pool(x, 2, 0, false))
}

func (n *Network) blockE(x tensor, b string, mean bool) tensor {
	three := n.chain(x, b, step{"branch3x3_1", 384, 1, 1, 1, false})
	double := n.chain(x, b, step{"branch3x3dbl_1", 448, 1, 1, 1, false}, step{"branch3x3dbl_2", 384, 3, 3, 1, true})
	return join(
		n.chain(x, b, step{"branch1x1", 320, 1, 1, 1, false}),
		n.chain(three, b, step{"branch3x3_2a", 384, 1, 3, 1, true}), n.chain(three, b, step{"branch3x3_2b", 384, 3, 1, 1, true}),
		n.chain(double, b, step{"branch3x3dbl_3a", 384, 1, 3, 1, true}), n.chain(double, b, step{"branch3x3dbl_3b", 384, 3, 1, 1, true}),
		n.chain(pool(x, 1, 1, mean), b, step{"branch_pool", 192, 1, 1, 1, false}))
}

// ForInception prepares a picture on [-1, 1]: 299×299 by linear interpolation
// without low-pass.
func ForInception(x *bridge.Image) *bridge.Image {
	return resize(x, inceptionSide, inceptionSide, linear)
}
