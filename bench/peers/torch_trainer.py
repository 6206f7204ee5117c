"""Trains an exported network with PyTorch: one step for every line of standard
input, of which it prints the milliseconds and the loss before it."""

import json
import sys
import time

import numpy
import torch

import unet

folder, batch, side, threads, form = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
torch.set_num_threads(threads)
config = json.load(open(folder + "/network.json"))
weights = unet.load(folder + "/weights.safetensors")
last = {"memory_format": torch.channels_last}
if form == "channels_last":
    weights = {k: w.contiguous(**last) if w.dim() == 4 else w for k, w in weights.items()}
for w in weights.values():
    w.requires_grad_(True)
net = unet.UNet(config, weights)
params = list(weights.values())
average = [w.detach().clone() for w in params]
opt = torch.optim.AdamW(params, lr=1e-4, weight_decay=0)


def read(name):
    v = torch.from_numpy(numpy.fromfile(f"{folder}/{name}.f32", "<f4")).reshape(batch, -1, side, side)
    return v.contiguous(**last) if form == "channels_last" else v


x, label = read("x"), read("label")
levels = torch.from_numpy(numpy.fromfile(folder + "/levels.f64", "<f8"))
half = config["num_channels"] // 2
angle = levels[:, None] * torch.exp(torch.arange(half, dtype=torch.float64) * (-numpy.log(10000) / half))
t = torch.cat([angle.cos(), angle.sin()], 1).float()
print("ready: PyTorch", torch.__version__, flush=True)
n = 0
for _ in sys.stdin:
    start = time.perf_counter()
    loss = torch.nn.functional.mse_loss(net(x, t), label)
    opt.zero_grad()
    loss.backward()
    opt.step()
    n += 1
    follow = 1 - min(0.99, (1 + n) / (10 + n))
    with torch.no_grad():
        torch._foreach_mul_(average, 1 - follow)
        torch._foreach_add_(average, params, alpha=follow)
    value = loss.item()
    print(1e3 * (time.perf_counter() - start), value, flush=True)
