"""Evaluates an export with PyTorch: once, writing the result, then once for
every line of standard input, printing the milliseconds of each."""

import json
import sys
import time

import torch

import unet

folder, result, width, height, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
torch.set_num_threads(threads)
config = json.load(open(folder + "/network.json"))
net = unet.UNet(config, unet.load(folder + "/weights.safetensors"))
read = lambda name: torch.frombuffer(bytearray(open(f"{folder}/{name}.f32", "rb").read()), dtype=torch.float32)
x = read("x").reshape(1, -1, height, width)
t = read("t").reshape(1, -1)
if "channels_last" in sys.argv[6:]:
    x = x.contiguous(memory_format=torch.channels_last)
    net.w = {k: w.contiguous(memory_format=torch.channels_last) if w.dim() == 4 else w for k, w in net.w.items()}
with torch.inference_mode():
    net(x, t).contiguous().numpy().tofile(result)
    print("ready: PyTorch", torch.__version__, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        net(x, t)
        print(1e3 * (time.perf_counter() - start), flush=True)
