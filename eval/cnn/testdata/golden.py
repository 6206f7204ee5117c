#!/usr/bin/env python3
"""Makes golden.tsv: what PyTorch makes of ResNet-50 and Inception v3 with weights
from a formula, and of the preparation of pictures. Needs Debian's python3-torch:

    python3 golden.py >golden.tsv
"""
import numpy as np
import torch
import torch.nn.functional as F


def uniform(name, size):
    """-0.5…0.5 from an integer formula; cnn_test.go has the same."""
    seed = sum((i + 1) * b for i, b in enumerate(name.encode()))
    i = np.arange(size, dtype=np.uint64)
    x = ((i + np.uint64(seed)) * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(2246822519)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(13)
    return (x >> np.uint64(8)).astype(np.float64) / 2 ** 24 - 0.5


asked = {}  # tensors by name


def weight(name, *shape):
    asked[name] = shape
    size = int(np.prod(shape))
    fan = int(np.prod(shape[1:]))
    return torch.from_numpy((uniform(name, size) * np.sqrt(24 / fan)).astype(np.float32).reshape(shape))


def vector(name, n, base, spread):
    asked[name] = (n,)
    return torch.from_numpy((base + spread * uniform(name, n)).astype(np.float32))


def conv_bn(x, conv, norm, out, kernel, stride, pad, eps):
    kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    x = F.conv2d(x, weight(conv + ".weight", out, x.shape[1], *kernel), None, stride, pad)
    return F.batch_norm(x, vector(norm + ".running_mean", out, 0, 0.2), vector(norm + ".running_var", out, 1, 0.5),
                        vector(norm + ".weight", out, 1, 0.4), vector(norm + ".bias", out, 0, 0.4), False, 0, eps)


def resnet50(x):
    c = lambda x, conv, norm, out, k, s: conv_bn(x, conv, norm, out, k, s, k // 2, 1e-5)
    x = F.max_pool2d(F.relu(c(x, "conv1", "bn1", 64, 7, 2)), 3, 2, 1)
    for stage, blocks in enumerate([3, 4, 6, 3]):
        width = 64 * 2 ** stage
        for b in range(blocks):
            p = f"layer{stage + 1}.{b}."
            s = 2 if stage and not b else 1
            y = F.relu(c(x, p + "conv1", p + "bn1", width, 1, 1))
            y = F.relu(c(y, p + "conv2", p + "bn2", width, 3, s))
            y = c(y, p + "conv3", p + "bn3", width * 4, 1, 1)
            if not b:
                x = c(x, p + "downsample.0", p + "downsample.1", width * 4, 1, s)
            x = F.relu(x + y)
    x = x.mean((2, 3))
    return F.linear(x, weight("fc.weight", 1000, 2048), vector("fc.bias", 1000, 0, 0.4))[0]


def inception(x):
    def c(x, name, out, k, s=1, pad=0):
        return F.relu(conv_bn(x, name + ".conv", name + ".bn", out, k, s, pad, 1e-3))

    avg = lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    cat = lambda *xs: torch.cat(xs, 1)

    def a(x, p, pooled):
        return cat(c(x, p + "branch1x1", 64, 1), c(c(x, p + "branch5x5_1", 48, 1), p + "branch5x5_2", 64, 5, 1, 2),
                   c(c(c(x, p + "branch3x3dbl_1", 64, 1), p + "branch3x3dbl_2", 96, 3, 1, 1), p + "branch3x3dbl_3", 96, 3, 1, 1),
                   c(avg(x), p + "branch_pool", pooled, 1))

    def cc(x, p, n):
        r, k = (1, 7), (7, 1)
        y = c(c(c(x, p + "branch7x7_1", n, 1), p + "branch7x7_2", n, r, 1, (0, 3)), p + "branch7x7_3", 192, k, 1, (3, 0))
        z = c(c(c(x, p + "branch7x7dbl_1", n, 1), p + "branch7x7dbl_2", n, k, 1, (3, 0)), p + "branch7x7dbl_3", n, r, 1, (0, 3))
        z = c(c(z, p + "branch7x7dbl_4", n, k, 1, (3, 0)), p + "branch7x7dbl_5", 192, r, 1, (0, 3))
        return cat(c(x, p + "branch1x1", 192, 1), y, z, c(avg(x), p + "branch_pool", 192, 1))

    def e(x, p, pool):
        y = c(x, p + "branch3x3_1", 384, 1)
        z = c(c(x, p + "branch3x3dbl_1", 448, 1), p + "branch3x3dbl_2", 384, 3, 1, 1)
        return cat(c(x, p + "branch1x1", 320, 1), c(y, p + "branch3x3_2a", 384, (1, 3), 1, (0, 1)), c(y, p + "branch3x3_2b", 384, (3, 1), 1, (1, 0)),
                   c(z, p + "branch3x3dbl_3a", 384, (1, 3), 1, (0, 1)), c(z, p + "branch3x3dbl_3b", 384, (3, 1), 1, (1, 0)),
                   c(pool(x), p + "branch_pool", 192, 1))

    x = c(c(c(x, "Conv2d_1a_3x3", 32, 3, 2), "Conv2d_2a_3x3", 32, 3), "Conv2d_2b_3x3", 64, 3, 1, 1)
    x = c(c(F.max_pool2d(x, 3, 2), "Conv2d_3b_1x1", 80, 1), "Conv2d_4a_3x3", 192, 3)
    x = F.max_pool2d(x, 3, 2)
    x = a(a(a(x, "Mixed_5b.", 32), "Mixed_5c.", 64), "Mixed_5d.", 64)
    p = "Mixed_6a."
    x = cat(c(x, p + "branch3x3", 384, 3, 2),
            c(c(c(x, p + "branch3x3dbl_1", 64, 1), p + "branch3x3dbl_2", 96, 3, 1, 1), p + "branch3x3dbl_3", 96, 3, 2), F.max_pool2d(x, 3, 2))
    x = cc(cc(cc(cc(x, "Mixed_6b.", 128), "Mixed_6c.", 160), "Mixed_6d.", 160), "Mixed_6e.", 192)
    p = "Mixed_7a."
    y = c(c(c(x, p + "branch7x7x3_1", 192, 1), p + "branch7x7x3_2", 192, (1, 7), 1, (0, 3)), p + "branch7x7x3_3", 192, (7, 1), 1, (3, 0))
    x = cat(c(c(x, p + "branch3x3_1", 192, 1), p + "branch3x3_2", 320, 3, 2), c(y, p + "branch7x7x3_4", 192, 3, 2), F.max_pool2d(x, 3, 2))
    x = e(x, "Mixed_7b.", avg)
    x = e(x, "Mixed_7c.", lambda x: F.max_pool2d(x, 3, 1, 1))
    return x.mean((2, 3))[0]


def picture(h, w):
    return torch.from_numpy((2 * uniform("picture", 3 * h * w)).astype(np.float32).reshape(1, 3, h, w))


def show(what, values, every):
    for i in range(0, len(values), every):
        print(what, i, repr(float(values[i])), sep="\t")


print("what\tindex\tvalue")
with torch.no_grad():
    show("resnet", resnet50(picture(80, 96)), 37)
    show("inception", inception(picture(107, 91)), 61)
    x = picture(20, 301)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    show("for resnet", ((F.interpolate((x + 1) / 2, (224, 224), mode="bicubic", align_corners=False) - mean) / std).flatten(), 4999)
    show("for inception", F.interpolate(x, (299, 299), mode="bilinear", align_corners=False).flatten(), 7919)
for name, shape in asked.items():
    print("tensor", name, ",".join(map(str, shape)), sep="\t")
