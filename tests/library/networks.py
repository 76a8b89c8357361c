"""Networks such as people bring: shared parameters, buffers, frozen parts, skips, attention."""

import torch
from torch import nn


class Sentences(nn.Module):
    """Tied embedding and logits, attention, a buffer, a frozen layer, for words (N, L)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.inner = nn.Linear(8, 16)
        self.frozen = nn.Linear(16, 8).requires_grad_(False)
        self.scale = nn.Parameter(torch.tensor(0.3), requires_grad=False)
        self.register_buffer("places", torch.arange(5.0))
        self.norm = nn.LayerNorm(8)
        self.logits = nn.Linear(8, 11, bias=False)
        self.logits.weight = self.embedding.weight

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        features = self.embedding(words) + self.places[: words.shape[1], None].to(self.scale)
        features = features + self.attention(features, features, features)[0]
        features = self.norm(features + self.scale * self.frozen(torch.relu(self.inner(features))))
        logits: torch.Tensor = self.logits(features)
        return logits


class Pictures(nn.Module):
    """Two convolutions with BatchNorm and a linear layer, for images (N, 3, 8, 8)."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
        )
        self.fc = nn.Linear(2 * width, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.fc(self.features(images).flatten(1))
        return logits


def pictures() -> Pictures:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Pictures().eval()


def sentences() -> Sentences:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Sentences().eval()


def images_and_labels(count: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)
    return images, torch.arange(count) % 4
