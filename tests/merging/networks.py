"""Small networks of every wiring that merging goes through, for images of shape (3, 12, 12)."""

import torch
from torch import nn
from torch.nn import functional


def norm_after(inputs: int, outputs: int, bias: bool = False, **norm) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs, **norm), nn.ReLU(inplace=True))


def plain() -> nn.Module:
    """Norms behind convolutions with and without bias, behind a flatten, behind a linear layer."""
    return nn.Sequential(
        *norm_after(3, 9),
        *norm_after(9, 12, bias=True),
        nn.MaxPool2d(2),
        *norm_after(12, 8, affine=False),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.BatchNorm1d(32),
        nn.Linear(32, 10),
        nn.BatchNorm1d(10),
        nn.Tanh(),
        nn.Linear(10, 4),
    )


def norm_before() -> nn.Module:
    """Norms before convolutions, behind pooling and activations; two at once on a flatten."""
    return nn.Sequential(
        nn.Conv2d(3, 9, 3),
        nn.AvgPool2d(2),
        nn.BatchNorm2d(9),
        nn.ReLU(),
        nn.Conv2d(9, 8, 3),
        nn.Sigmoid(),
        nn.BatchNorm2d(8),
        nn.Conv2d(8, 7, 1),
        nn.Flatten(),
        nn.BatchNorm1d(7 * 9),
        nn.ELU(),
        nn.Linear(7 * 9, 4),
    )


class Branches(nn.Module):
    """Concatenations of concatenations, out of order, one tensor twice, then a flatten."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = norm_after(3, 6)
        self.left, self.right = norm_after(6, 9, bias=True), nn.Conv2d(6, 7, 3, padding=1)
        self.mixed = norm_after(9 + 7 + 6, 8)
        self.norm = nn.BatchNorm2d(6 + 7 + 6 + 8)
        self.head = nn.Linear((8 + 27 + 9) * 9, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stem = self.stem(x)
        left, right = self.left(stem), self.right(stem)
        mixed = self.mixed(torch.cat([left, torch.cat([right, stem], 1)], 1))
        normed = self.norm(torch.cat([stem, right, stem, mixed], 1)).relu()
        every = torch.cat([mixed, normed, left], 1)
        return self.head(functional.avg_pool2d(every, 4).flatten(1))


class Dense(nn.Module):
    """Pre-activation: each layer norms the concatenation of all before it (DenseNet-BC)."""

    def __init__(self, layers: int = 3, growth: int = 6) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        widths = [8 + growth * i for i in range(layers)]
        self.norm1 = nn.ModuleList(nn.BatchNorm2d(w) for w in widths)
        self.conv1 = nn.ModuleList(nn.Conv2d(w, 9, 1, bias=False) for w in widths)
        self.norm2 = nn.ModuleList(nn.BatchNorm2d(9) for _ in widths)
        self.conv2 = nn.ModuleList(nn.Conv2d(9, growth, 3, padding=1) for _ in widths)
        end = 8 + growth * layers
        self.norm, self.head = nn.BatchNorm2d(end), nn.Linear(end, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for n1, c1, n2, c2 in zip(self.norm1, self.conv1, self.norm2, self.conv2, strict=True):
            x = torch.cat([x, c2(n2(c1(n1(x).relu())).relu())], 1)
        return self.head(self.norm(x).relu().mean((2, 3)))


class Block(nn.Module):
    """A residual block; its shortcut is the identity, a projection, or padding (option A)."""

    def __init__(self, inputs: int, outputs: int, shortcut: str) -> None:
        super().__init__()
        stride = 1 if shortcut == "identity" else 2
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.pad = (outputs - inputs) // 2
        self.shortcut = shortcut
        if shortcut == "projection":
            self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        if self.shortcut == "projection":
            x = self.down(x)
        elif self.shortcut == "padding":
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return (out + x).relu()


class Residual(nn.Module):
    """Two stages of residual blocks behind a stem (ResNet)."""

    def __init__(self, shortcut: str = "projection") -> None:
        super().__init__()
        self.stem = norm_after(3, 9)
        self.blocks = nn.Sequential(
            Block(9, 9, "identity"), Block(9, 13, shortcut), Block(13, 13, "identity")
        )
        self.head = nn.Linear(13, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(nn.functional.adaptive_avg_pool2d(self.blocks(self.stem(x)), 1).flatten(1))


class Preactivated(nn.Module):
    """Skips between raw sums; every reader of their sum norms it first (ResNet v2)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 9, 3, padding=1)
        self.norm1 = nn.ModuleList(nn.BatchNorm2d(9) for _ in range(2))
        self.conv1 = nn.ModuleList(nn.Conv2d(9, 10, 3, padding=1, bias=False) for _ in range(2))
        self.norm2 = nn.ModuleList(nn.BatchNorm2d(10) for _ in range(2))
        self.conv2 = nn.ModuleList(nn.Conv2d(10, 9, 3, padding=1) for _ in range(2))
        self.norm, self.head = nn.BatchNorm2d(9), nn.Linear(9, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for n1, c1, n2, c2 in zip(self.norm1, self.conv1, self.norm2, self.conv2, strict=True):
            x = x + c2(n2(c1(n1(x).relu())).relu())
        return self.head(self.norm(x).relu().mean((2, 3)))


class Gated(nn.Module):
    """A squeeze and excitation: a layer's channels times what their means give."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = norm_after(3, 9)
        self.down, self.up = nn.Conv2d(9, 6, 1), nn.Conv2d(6, 9, 1)
        self.head = nn.Conv2d(9, 4, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        gate = self.up(self.down(x.mean((2, 3), keepdim=True)).relu()).sigmoid()
        return self.head(x * gate).flatten(1)


class Twice(nn.Module):
    """One convolution that reads two layers, and one norm behind both."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 9, 3), nn.Conv2d(3, 9, 3)
        self.norm, self.shared = nn.BatchNorm2d(9), nn.Conv2d(9, 6, 3)
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b = self.norm(self.a(x)).relu(), self.norm(self.b(x)).relu()
        return self.head((self.shared(a).relu() - self.shared(b).tanh()).mean((2, 3)))


class FromBehind(nn.Module):
    """Concatenations along dimension 1 by its negative names, of images and of rows."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = norm_after(3, 9), nn.Conv2d(3, 6, 3, padding=1)
        self.c, self.d = nn.Linear(15, 9), nn.Linear(15, 7)
        self.norm, self.head = nn.BatchNorm1d(16), nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        images = torch.cat([self.a(x), self.b(x).tanh()], -3)
        rows = functional.adaptive_avg_pool2d(images, 1).flatten(1)
        return self.head(self.norm(torch.cat([self.c(rows), self.d(rows)], -1)).relu())


class GatedByRows(nn.Module):
    """A squeeze and excitation of linear layers, which a reshape gives the shape (N, C, 1, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = norm_after(3, 9)
        self.down, self.up = nn.Linear(9, 6), nn.Linear(6, 9)
        self.head = nn.Conv2d(9, 4, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        gate = self.up(self.down(x.mean((2, 3))).relu()).sigmoid()
        return self.head(x * gate.view(*gate.shape, 1, 1)).flatten(1)


NETWORKS = {
    "plain": plain,
    "norm before": norm_before,
    "branches": Branches,
    "dense": Dense,
    "residual": Residual,
    "preactivated": Preactivated,
    "gated": Gated,
    "twice": Twice,
    "from behind": FromBehind,
    "gated by rows": GatedByRows,
}
