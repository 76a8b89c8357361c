"""Networks of files, scored on folders of photographs."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tests.data.photographs import photograph
from torch import nn
from typer.testing import CliRunner

from clusterpress import artifact
from clusterpress.artifact.container import is_artifact
from clusterpress.cli import app
from clusterpress.codes import Shared, attach
from clusterpress.errors import ArtifactError, ConfigError
from clusterpress.models import LeNet5, ResNet20
from clusterpress.runs.post_training import Photographs, score_files

CLASSES, EACH = 4, 6


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    for label in range(CLASSES):
        for image in range(EACH):
            photograph(tmp_path / "images" / f"class{label}" / f"{image}.png", 10 * label + image)
    return tmp_path / "images"


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_file(network().state_dict(), tmp_path / "dense.safetensors")
    return tmp_path / "dense.safetensors"


def network() -> nn.Module:
    torch.manual_seed(0)
    return ResNet20(classes=CLASSES)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The same network, its last layer shared so coarsely that it decides otherwise."""
    found = network()
    weight = found.fc.weight.detach()
    code = Shared((weight > 0).long(), tuple(weight.shape))
    attach(found.fc, "weight", code, torch.tensor([-0.2, 0.2]))
    recorded = {"name": "resnet20", "args": {"classes": CLASSES, "channels": 3}}
    artifact.save(found, tmp_path / "small.safetensors", architecture=recorded)
    return tmp_path / "small.safetensors"


def by_hand(found: nn.Module, folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions and labels, image by image, with torchvision's own transforms."""
    from torchvision import transforms

    steps = [transforms.Resize(32), transforms.CenterCrop(32), transforms.ToTensor()]
    norm = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    prepare = transforms.Compose([*steps, norm])
    paths = sorted(folder.glob("*/*.png"))
    images = torch.stack([prepare(Image.open(path)) for path in paths])
    labels = torch.tensor([int(path.parent.name[-1]) for path in paths])
    with torch.no_grad():
        return found.eval()(images).argmax(1), labels


def test_shares_agreement_and_change_by_hand(photographs: Path, small: Path, dense: Path) -> None:
    found = score_files(small, Photographs(photographs), against=dense)
    ours, labels = by_hand(artifact.load(small), photographs)
    theirs, _ = by_hand(network(), photographs)
    n = CLASSES * EACH
    assert found.ours.n == n
    assert found.ours.top1.percent == pytest.approx(100 * int((ours == labels).sum()) / n)
    assert found.theirs is not None
    assert found.theirs.top1.percent == pytest.approx(100 * int((theirs == labels).sum()) / n)
    assert found.ours.top5.percent == 100
    assert found.agreement is not None
    assert found.agreement.percent == pytest.approx(100 * int((ours == theirs).sum()) / n)
    assert found.change is not None
    assert found.change.percent == pytest.approx(
        found.ours.top1.percent - found.theirs.top1.percent
    )


def test_a_network_agrees_with_itself_from_any_kind_of_file(
    photographs: Path, small: Path, dense: Path, tmp_path: Path
) -> None:
    same = score_files(small, Photographs(photographs, workers=2), against=small)
    assert same.agreement is not None
    assert (same.agreement.percent, same.ours) == (100, same.theirs)
    artifact.save(network(), tmp_path / "whole.safetensors")
    with pytest.raises(ConfigError, match="give --arch, such as torchvision:resnet18"):
        score_files(tmp_path / "whole.safetensors", Photographs(photographs))
    with pytest.raises(ConfigError, match="does not fit ResNet20"):
        score_files(dense, Photographs(photographs), arch="resnet20")


def test_a_subset_of_the_classes_needs_the_list(
    photographs: Path, small: Path, tmp_path: Path
) -> None:
    whole = score_files(small, Photographs(photographs))
    for path in (photographs / "class2").iterdir():
        path.unlink()
    (photographs / "class2").rmdir()
    with pytest.raises(ConfigError, match=r"4 outputs, .* has 3 classes; give --classes"):
        score_files(small, Photographs(photographs))
    names = tmp_path / "names.txt"
    names.write_text("".join(f"class{label}\n" for label in range(CLASSES)))
    part = score_files(small, Photographs(photographs, classes=names))
    assert (part.ours.n, whole.ours.n) == (18, 24)
    names.write_text("class0\nclass0\n")
    with pytest.raises(ConfigError, match="twice"):
        score_files(small, Photographs(photographs, classes=names))


def test_names_of_classes_stand_one_a_line(photographs: Path, small: Path, tmp_path: Path) -> None:
    (photographs / "class2").rename(photographs / "class 2")
    names = tmp_path / "names.txt"
    names.write_text("class0\nclass1\n\nclass 2\r\nclass3\n")
    assert score_files(small, Photographs(photographs, classes=names)).ours.n == 24
    names.write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        score_files(small, Photographs(photographs, classes=names))


class Other(nn.Module):
    """A network that says of its channels no default, and takes no images."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.fc(images)
        return logits


def test_a_network_of_somebody_elses_says_what_does_not_fit(
    photographs: Path, tmp_path: Path
) -> None:
    save_file(Other(3).state_dict(), tmp_path / "other.safetensors")
    chosen = Photographs(photographs, crop=16)
    for arguments, sentence in (("", "does not take"), ("(channels=3)", "does not give logits")):
        arch = f"{__name__}:Other{arguments}"
        with pytest.raises(ConfigError, match=sentence):
            score_files(tmp_path / "other.safetensors", chosen, arch=arch)


def test_a_grey_network_wants_its_own_normalisation(photographs: Path, tmp_path: Path) -> None:
    recorded = {"name": "lenet5", "args": {"classes": CLASSES, "channels": 1}}
    path = tmp_path / "grey.safetensors"
    artifact.save(LeNet5(classes=CLASSES), path, architecture=recorded)
    with pytest.raises(ConfigError, match="mean and std must be given"):
        score_files(path, Photographs(photographs))
    assert score_files(path, Photographs(photographs, mean=(0.1,), std=(0.3,))).ours.n == 24


def test_what_is_no_file_of_ours_is_said(tmp_path: Path, dense: Path, small: Path) -> None:
    assert is_artifact(small)
    assert not is_artifact(dense)
    for content in (b"", b"\xff" * 20, b"\x02\0\0\0\0\0\0\0[]"):
        (tmp_path / "other").write_bytes(content)
        assert not is_artifact(tmp_path / "other")
    with pytest.raises(ArtifactError, match="There is no file"):
        is_artifact(tmp_path / "nowhere")


def test_the_command_prints_it(photographs: Path, small: Path, dense: Path) -> None:
    line = ["evaluate", str(small), "--images", str(photographs), "--against", str(dense)]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    for words in ("images: 24", "top-1: ", "uncompressed top-1", "agreement with it", "points"):
        assert words in done.output
    assert CliRunner().invoke(app, [*line, "--mean", "a,b"]).exit_code == 2
