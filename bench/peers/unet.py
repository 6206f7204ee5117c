"""The U-Net of ADM as functions of its weights, for PyTorch's eager mode."""

import json

import numpy
import torch
import torch.nn.functional as F


def load(path):
    """Reads a safetensors file of float32 as a dict of tensors."""
    with open(path, "rb") as f:
        size = int.from_bytes(f.read(8), "little")
        header = json.loads(f.read(size))
        w = {}
        for name, t in sorted(header.items(), key=lambda e: e[1]["data_offsets"]):
            begin, end = t["data_offsets"]
            f.seek(8 + size + begin)
            w[name] = torch.from_numpy(numpy.frombuffer(bytearray(f.read(end - begin)), "<f4").reshape(t["shape"]))
    return w


MULTS = {512: "0.5,1,1,2,2,4,4", 256: "1,1,2,2,4,4", 128: "1,1,2,3,4", 64: "1,2,3,4"}


class UNet:
    def __init__(self, config, weights):
        self.c, self.w = config, weights
        mult = config.get("channel_mult") or MULTS[config["image_size"]]
        self.widths = [int(float(m) * config["num_channels"]) for m in mult.split(",")]
        sides = [s for s in config["attention_resolutions"].split(",") if s]
        self.attended = {config["image_size"] // int(s) for s in sides}

    def conv(self, name, x, stride=1):
        w = self.w[name + ".weight"]
        if w.dim() == 3:
            w = w.unsqueeze(-1)
        return F.conv2d(x, w, self.w[name + ".bias"], stride=stride, padding=w.shape[-1] // 2)

    def linear(self, name, x):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, name, x):
        return F.group_norm(x, 32, self.w[name + ".weight"], self.w[name + ".bias"])

    def residual(self, name, x, resample=lambda x: x):
        h = resample(F.silu(self.norm(name + ".in_layers.0", x)))
        h = self.conv(name + ".in_layers.2", h)
        e = self.linear(name + ".emb_layers.1", F.silu(self.emb))[:, :, None, None]
        if self.c["use_scale_shift_norm"]:
            scale, shift = e.chunk(2, 1)
            h = self.norm(name + ".out_layers.0", h) * (1 + scale) + shift
        else:
            h = self.norm(name + ".out_layers.0", h + e)
        h = self.conv(name + ".out_layers.3", F.silu(h))
        x = resample(x)
        if name + ".skip_connection.weight" in self.w:
            x = self.conv(name + ".skip_connection", x)
        return x + h

    def attend(self, name, x, heads):
        n, c, h, w = x.shape
        if self.c["num_head_channels"] > 0:
            heads = c // self.c["num_head_channels"]
        qkv = self.conv(name + ".qkv", self.norm(name + ".norm", x))
        if self.c["use_new_attention_order"]:
            q, k, v = (p.reshape(n * heads, c // heads, h * w) for p in qkv.chunk(3, 1))
        else:
            q, k, v = qkv.reshape(n * heads, 3 * c // heads, h * w).chunk(3, 1)
        weight = torch.bmm(q.transpose(1, 2) * (c // heads) ** -0.5, k).softmax(-1)
        a = torch.bmm(v, weight.transpose(1, 2)).reshape(n, c, h, w)
        return x + self.conv(name + ".proj_out", a)

    def up(self, x):
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def down(self, x):
        return F.avg_pool2d(x, 2)

    def __call__(self, x, t):
        """x is N×C×H×W, t the noise levels' embedding, N×num_channels."""
        c, heads = self.c, self.c["num_heads"]
        heads_up = c["num_heads_upsample"] if c["num_heads_upsample"] > 0 else heads
        self.emb = self.linear("time_embed.2", F.silu(self.linear("time_embed.0", t)))
        k, scale, last = 0, 1, len(self.widths) - 1
        x = self.conv("input_blocks.0.0", x)
        skips = [x]
        for level in range(last + 1):
            for _ in range(c["num_res_blocks"]):
                k += 1
                x = self.residual(f"input_blocks.{k}.0", x)
                if scale in self.attended:
                    x = self.attend(f"input_blocks.{k}.1", x, heads)
                skips.append(x)
            if level < last:
                k += 1
                if c["resblock_updown"]:
                    x = self.residual(f"input_blocks.{k}.0", x, self.down)
                else:
                    x = self.conv(f"input_blocks.{k}.0.op", x, 2)
                skips.append(x)
                scale *= 2
        x = self.residual("middle_block.0", x)
        x = self.attend("middle_block.1", x, heads)
        x = self.residual("middle_block.2", x)
        k = 0
        for level in reversed(range(last + 1)):
            for i in range(c["num_res_blocks"] + 1):
                x = self.residual(f"output_blocks.{k}.0", torch.cat([x, skips.pop()], 1))
                j = 1
                if scale in self.attended:
                    x = self.attend(f"output_blocks.{k}.1", x, heads_up)
                    j = 2
                if level > 0 and i == c["num_res_blocks"]:
                    if c["resblock_updown"]:
                        x = self.residual(f"output_blocks.{k}.{j}", x, self.up)
                    else:
                        x = self.conv(f"output_blocks.{k}.{j}.conv", self.up(x))
                    scale //= 2
                k += 1
        return self.conv("out.2", F.silu(self.norm("out.0", x)))
