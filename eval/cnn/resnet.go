package cnn

import (
	"fmt"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/weights"
)

// OpenResNet50 reads ResNet-50 (He et al., 2016, with the stride in the 3×3
// convolutions) with torchvision's names. Its answer is 1000 scores.
func OpenResNet50(src weights.Source) (*Network, error) {
	return load(src, resNetSide, resnet50)
}

const resNetSide = 224

func resnet50(n *Network, x tensor) tensor {
	conv := func(x tensor, conv, norm string, out, kernel, stride int) tensor {
		return n.conv(x, spec{conv, norm, 1e-5, out, kernel, kernel, stride, kernel / 2, kernel / 2})
	}
	x = relu(conv(x, "conv1", "bn1", 64, 7, 2))
	x = pool(x, 2, 1, false)
	for stage, blocks := range []int{3, 4, 6, 3} {
		width := 64 << stage
		for b := range blocks {
			name := fmt.Sprintf("layer%d.%d.", stage+1, b)
			stride := 1
			if b == 0 && stage > 0 {
				stride = 2
			}
			y := relu(conv(x, name+"conv1", name+"bn1", width, 1, 1))
			y = relu(conv(y, name+"conv2", name+"bn2", width, 3, stride))
			y = conv(y, name+"conv3", name+"bn3", 4*width, 1, 1)
			if b == 0 {
				x = conv(x, name+"downsample.0", name+"downsample.1", 4*width, 1, stride)
			}
			x = relu(add(y, x))
		}
	}
	return n.linear(average(x), "fc", 1000)
}

// ForResNet prepares a picture on [-1, 1] as the reference does: to [0, 1],
// 224×224 by cubic interpolation without low-pass, ImageNet's mean and
// deviation.
func ForResNet(x *bridge.Image) *bridge.Image {
	y := resize(x, resNetSide, resNetSide, cubic)
	for c, m := range [][2]float32{{0.485, 0.229}, {0.456, 0.224}, {0.406, 0.225}} {
		for i, v := range y.Plane(c) {
			y.Plane(c)[i] = ((v+1)/2 - m[0]) / m[1]
		}
	}
	return y
}

// Best is the class of the greatest score.
func Best(scores []float32) int {
	best := 0
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	return best
}

// Rank is how many classes have a greater score.
func Rank(scores []float32, class int) int {
	rank := 0
	for _, s := range scores {
		if s > scores[class] {
			rank++
		}
	}
	return rank
}
