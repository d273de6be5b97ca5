"""Fully convolutional networks in plain PyTorch: U-Nets and a small one-stage detector."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class DoubleConv(nn.Sequential):
    """Two 3x3 convolutions, each with BatchNorm and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class Up(nn.Module):
    """Twice the height and width: by a transposed convolution, or bilinear and a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, bilinear: bool) -> None:
        super().__init__()
        if bilinear:
            self.up: nn.Module = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), nn.Conv2d(inputs, outputs, 1)
            )
        else:
            self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.up(x)
        return result


class UNet(nn.Module):
    """A contracting and an expanding path with skips; heights and widths are multiples of 2**depth."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 128), classes: int = 5, bilinear: bool = False) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.stem = DoubleConv(3, widths[0])
        self.down = nn.ModuleList(DoubleConv(a, b) for a, b in pairs)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(Up(b, a, bilinear) for a, b in reversed(pairs))
        self.merge = nn.ModuleList(DoubleConv(2 * a, a) for a, _ in reversed(pairs))
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = [self.stem(x)]
        for layer in self.down:
            skips.append(layer(self.pool(skips[-1])))
        y = skips.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            y = merge(torch.cat([skips.pop(), up(y)], 1))
        result: Tensor = self.head(y)
        return result


class ConvUnit(nn.Sequential):
    """Convolution, BatchNorm, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(outputs), nn.SiLU())


class Bottleneck(nn.Module):
    """A 1x1 and a 3x3 convolution, perhaps around a residual."""

    def __init__(self, width: int, residual: bool) -> None:
        super().__init__()
        self.layers, self.residual = nn.Sequential(ConvUnit(width, width), ConvUnit(width, width, 3)), residual

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class CrossStage(nn.Module):
    """Cross-stage partial block: one half of the channels passes bottlenecks, the other goes around."""

    def __init__(self, inputs: int, outputs: int, depth: int = 1, residual: bool = True) -> None:
        super().__init__()
        half = outputs // 2
        self.through = nn.Sequential(ConvUnit(inputs, half), *(Bottleneck(half, residual) for _ in range(depth)))
        self.around, self.merge = ConvUnit(inputs, half), ConvUnit(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.merge(torch.cat([self.through(x), self.around(x)], 1))
        return result


class PyramidPool(nn.Module):
    """Three 5x5 max-pools one after the other, all concatenated."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce, self.merge = ConvUnit(width, width // 2), ConvUnit(2 * width, width)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.reduce(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        result: Tensor = self.merge(torch.cat(parts, 1))
        return result


class Detector(nn.Module):
    """A one-stage detector: a backbone, a pyramid up and down, heads at strides 8, 16 and 32, one row per anchor."""

    def __init__(self, width: int = 16, anchors: int = 3, classes: int = 11) -> None:
        super().__init__()
        w, self.anchors, self.values = width, anchors, 5 + classes
        self.stem = nn.Sequential(ConvUnit(3, w, 6, 2), ConvUnit(w, 2 * w, 3, 2), CrossStage(2 * w, 2 * w))
        self.stage3 = nn.Sequential(ConvUnit(2 * w, 4 * w, 3, 2), CrossStage(4 * w, 4 * w, 2))
        self.stage4 = nn.Sequential(ConvUnit(4 * w, 8 * w, 3, 2), CrossStage(8 * w, 8 * w, 2))
        self.stage5 = nn.Sequential(ConvUnit(8 * w, 16 * w, 3, 2), CrossStage(16 * w, 16 * w), PyramidPool(16 * w))
        self.reduce5, self.reduce4 = ConvUnit(16 * w, 8 * w), ConvUnit(8 * w, 4 * w)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.top4, self.top3 = CrossStage(16 * w, 8 * w, residual=False), CrossStage(8 * w, 4 * w, residual=False)
        self.down3, self.down4 = ConvUnit(4 * w, 4 * w, 3, 2), ConvUnit(8 * w, 8 * w, 3, 2)
        self.bottom4 = CrossStage(8 * w, 8 * w, residual=False)
        self.bottom5 = CrossStage(16 * w, 16 * w, residual=False)
        self.heads = nn.ModuleList(nn.Conv2d(n * w, anchors * self.values, 1) for n in (4, 8, 16))

    def forward(self, x: Tensor) -> Tensor:
        c3 = self.stage3(self.stem(x))
        c4 = self.stage4(c3)
        p5 = self.reduce5(self.stage5(c4))
        p4 = self.reduce4(self.top4(torch.cat([self.up(p5), c4], 1)))
        n3 = self.top3(torch.cat([self.up(p4), c3], 1))
        n4 = self.bottom4(torch.cat([self.down3(n3), p4], 1))
        n5 = self.bottom5(torch.cat([self.down4(n4), p5], 1))
        rows = []
        for head, level in zip(self.heads, (n3, n4, n5), strict=True):
            y = head(level)
            batch, _, height, width = y.shape
            y = y.view(batch, self.anchors, self.values, height, width).permute(0, 1, 3, 4, 2)
            rows.append(y.sigmoid().reshape(batch, -1, self.values))
        return torch.cat(rows, 1)
