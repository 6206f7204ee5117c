#!/usr/bin/env python3
"""Makes golden.tsv: metrics of pictures that a formula makes, computed with numpy in
float64, window by window, from the metrics' papers. Needs Debian's python3-numpy:

    python3 golden.py >golden.tsv
"""
import numpy as np


def picture(h, w, c):
    """The integer formula of metric_test.go, on the 256 levels of 8 bits."""
    y, x = np.mgrid[0:h, 0:w]
    k = np.arange(c).reshape(c, 1, 1)
    return ((x * x // 7 + 3 * y + x * y // 11 + 40 * k) % 256 + (x // 16 + y // 24 + k) % 3 * 60) // 2 % 256


def noise(h, w, c, strength):
    y, x = np.mgrid[0:h, 0:w]
    k = np.arange(c).reshape(c, 1, 1)
    return (x * 7919 + y * 104729 + k * 1299709 + x * y * 31) % (2 * strength + 1) - strength


def box(p):
    """3×3 mean with repeated edges, rounded down."""
    q = np.pad(p, ((0, 0), (1, 1), (1, 1)), mode="edge")
    h, w = p.shape[1:]
    return sum(q[:, i:i + h, j:j + w] for i in range(3) for j in range(3)) // 9


def luma(p):
    r, g, b = p
    return ((65.481 * r + 128.553 * g + 24.966 * b) / 255 + 16)[None]  # 0…255


def psnr(a, b):
    return 10 * np.log10(255 ** 2 / np.mean((a - b) ** 2))


i = np.arange(11) - 5
G = np.exp(-(i[:, None] ** 2 + i[None, :] ** 2) / (2 * 1.5 ** 2))
G /= G.sum()


def ssim_maps(a, b):
    wa = np.lib.stride_tricks.sliding_window_view(a, (11, 11))
    wb = np.lib.stride_tricks.sliding_window_view(b, (11, 11))
    ma, mb = (wa * G).sum((-1, -2)), (wb * G).sum((-1, -2))
    da, db = wa - ma[..., None, None], wb - mb[..., None, None]
    va, vb, cov = (da ** 2 * G).sum((-1, -2)), (db ** 2 * G).sum((-1, -2)), (da * db * G).sum((-1, -2))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    l = (2 * ma * mb + c1) / (ma ** 2 + mb ** 2 + c1)
    cs = (2 * cov + c2) / (va + vb + c2)
    return l, cs


def ssim(a, b):
    return np.mean([np.mean(np.multiply(*ssim_maps(x, y))) for x, y in zip(a, b)])


def halve(x):
    x = np.pad(x, ((0, x.shape[0] % 2), (0, x.shape[1] % 2)), mode="edge")
    return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2).mean((1, 3))


def msssim(a, b):
    scores = []
    for x, y in zip(a, b):
        product = 1
        for n, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
            l, cs = ssim_maps(x, y)
            product *= max(0, np.mean(l * cs) if n == 4 else np.mean(cs)) ** weight
            x, y = halve(x), halve(y)
        scores.append(product)
    return np.mean(scores)


# The perceptual distance, as perceptual.go describes it, by whole kernels and
# explicit padding.
def gauss2(sigma, r):
    i = np.arange(-r, r + 1)
    k = np.exp(-(i[:, None] ** 2 + i[None, :] ** 2) / (2 * sigma ** 2))
    return k / k.sum()


def correlate(x, k):
    r = k.shape[0] // 2
    v = np.lib.stride_tricks.sliding_window_view(np.pad(x, r, mode="reflect"), k.shape)
    return np.einsum("ijkl,kl->ij", v, k)


def gabors():
    e = gauss2(1.5, 5)
    y, x = np.mgrid[-5:6, -5:6]
    for n in range(4):
        t = np.pi * n / 4
        k = e * np.exp(2j * np.pi * (x * np.cos(t) + y * np.sin(t)) / 3)
        yield k - k.sum() * e


def likeness(a, b):
    scores = []
    while len(scores) < 4 and min(a.shape) >= 10:
        bands = []
        for k in gabors():
            p, q = correlate(a, k), correlate(b, k)
            w = gauss2(2, 5)
            ep, eq, pq = correlate(abs(p) ** 2, w), correlate(abs(q) ** 2, w), correlate(p * np.conj(q), w)
            t = (2 * np.sqrt(ep * eq) + 1e-4) / (ep + eq + 1e-4)
            s = (2 * abs(pq) + 1e-4) / (ep + eq + 1e-4)
            bands.append(np.mean(0.6 * t + 0.4 * s))
        scores.append(np.mean(bands))
        a, b = halve(a), halve(b)
    low = np.mean(1 / (1 + ((a - b) / 0.04) ** 2))
    return np.mean(scores + [low])


def perceptual(a, b):
    def opponents(p):
        r, g, b = p / 255
        y = 0.299 * r + 0.587 * g + 0.114 * b
        return y, halve((b - y) / 1.772), halve((r - y) / 1.402)
    return 1 - sum(s * likeness(x, y) for s, x, y in zip([0.8, 0.1, 0.1], opponents(a), opponents(b)))


print("height\twidth\tborder\tdistortion\tmetric\tvalue")
for h, w, border in [(40, 37, 0), (40, 37, 4), (176, 163, 0)]:
    a = picture(h, w, 3).astype(np.int64)
    for name, d in [("noise", np.clip(a + noise(h, w, 3, 20), 0, 255)), ("box", box(a))]:
        cut = (slice(None), slice(border, h - border), slice(border, w - border))
        x, y = a[cut].astype(float), d[cut].astype(float)
        values = {"psnr": psnr(x, y), "psnr-y": psnr(luma(x), luma(y)), "ssim": ssim(x, y), "ssim-y": ssim(luma(x), luma(y)),
                  "perceptual": perceptual(x, y)}
        if h > 161:
            values["ms-ssim"], values["ms-ssim-y"] = msssim(x, y), msssim(luma(x), luma(y))
        for metric, v in values.items():
            print(h, w, border, name, metric, repr(float(v)), sep="\t")
