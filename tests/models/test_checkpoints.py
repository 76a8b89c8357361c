import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models import LeNet5, ResNet18, ResNet20, Vgg16
from clusterpress.models.checkpoints import find, key_maps, load_weights, rename

# kuangliu's VGG: Conv2d, BatchNorm2d, ReLU, or MaxPool2d, in one list.
THEIRS = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]


class TheirVgg(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in THEIRS:
            if isinstance(width, str):
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        self.features = nn.Sequential(*layers, nn.AvgPool2d(1, 1))
        self.classifier = nn.Linear(512, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images).flatten(1))


def theirs(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A ResNet's state under the names of akamaster's and kuangliu's."""
    names = {"fc.": "linear.", "shortcut.conv.": "shortcut.0.", "shortcut.bn.": "shortcut.1."}
    for ours, their in names.items():
        state = {key.replace(ours, their): tensor for key, tensor in state.items()}
    return {f"module.{key}": tensor for key, tensor in state.items()}


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("model", [LeNet5, ResNet20])
def test_our_own_names_load(model: type[nn.Module], tmp_path: Path) -> None:
    network, path = model(), tmp_path / "own.safetensors"
    save_file(network.state_dict(), path)
    loaded = model()
    load_weights(loaded, path)
    assert same(network, loaded)


@pytest.mark.parametrize("model", [ResNet20, ResNet18])
@pytest.mark.parametrize("holder", [None, "state_dict", "net"])
def test_a_torch_checkpoint_of_a_resnet_loads(
    model: type[nn.Module], holder: str | None, tmp_path: Path
) -> None:
    network, path = model(), tmp_path / "theirs.th"
    state = theirs(network.state_dict())
    torch.save({holder: state, "best_prec1": 91.7} if holder else state, path)
    loaded = model()
    load_weights(loaded, path)
    assert same(network, loaded)


def test_a_vgg_of_kuangliu_computes_the_same_under_our_names(tmp_path: Path) -> None:
    network, path = TheirVgg().eval(), tmp_path / "vgg.pth"
    torch.save({"net": network.state_dict()}, path)
    loaded = Vgg16(bias=True).eval()
    load_weights(loaded, path)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(network(images), loaded(images), atol=1e-6)


def test_what_counts_batches_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "old.safetensors"
    state = ResNet20().state_dict()
    save_file({key: state[key] for key in state if "num_batches" not in key}, path)
    load_weights(ResNet20(), path)


def test_missing_extra_and_misshapen_keys_are_listed_at_once(tmp_path: Path) -> None:
    state = theirs(ResNet20(classes=100).state_dict())
    del state["module.layer2.0.conv1.weight"]
    state["module.mask"] = torch.zeros(3)
    save_file(state, tmp_path / "wrong.safetensors")
    network = ResNet20()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    with pytest.raises(ConfigError, match="does not fit ResNet20") as caught:
        load_weights(network, tmp_path / "wrong.safetensors")
    message = str(caught.value)
    for part in (
        "lacks layer2.0.conv1.weight",
        "beyond that mask",
        "(100, 64) instead of (10, 64)",
    ):
        assert part in message
    assert all(torch.equal(before[key], tensor) for key, tensor in network.state_dict().items())


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    save_file({"alien": torch.zeros(1)}, tmp_path / "alien.safetensors")
    with pytest.raises(ConfigError, match=r"and \d+ more; it has beyond that alien"):
        load_weights(ResNet20(), tmp_path / "alien.safetensors")


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("the file ran code",))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps(Runs(), 2)])
@pytest.mark.parametrize("name", ["bad.pth", "bad.safetensors"])
def test_an_unreadable_or_hostile_file_is_one_error(
    content: bytes, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match="can be read safely"):
        load_weights(LeNet5(), tmp_path / name)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, torch.zeros(2)])
def test_what_is_no_state_dict_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(ConfigError, match="holds no state dict"):
        load_weights(LeNet5(), tmp_path / "other.pth")


def test_no_family_gives_two_keys_one_name() -> None:
    for name, network in (("resnet", ResNet18()), ("vgg16", Vgg16())):
        ours = {rename(key, key_maps()[name]) for key in network.state_dict()}
        assert ours == set(network.state_dict())
    their = TheirVgg().state_dict()
    assert len({rename(key, key_maps()["vgg16"]) for key in their}) == len(their)


def test_a_file_is_found_by_its_path_and_in_the_folder_of_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.safetensors").write_bytes(b"")
    monkeypatch.setenv("CLUSTERPRESS_WEIGHTS", str(tmp_path))
    assert find("net.safetensors") == tmp_path / "net.safetensors"
    assert find(str(tmp_path / "net.safetensors")) == tmp_path / "net.safetensors"
    assert find("none.safetensors") is None


def test_a_key_that_would_take_anothers_name_is_extra(tmp_path: Path) -> None:
    state = ResNet20().state_dict()
    save_file(state | {"linear.weight": torch.zeros(10, 64)}, tmp_path / "w.safetensors")
    with pytest.raises(ConfigError, match=r"it has beyond that linear\.weight"):
        load_weights(ResNet20(), tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros(10, dtype=torch.int64), torch.zeros(10, dtype=torch.complex64)],
    ids=["whole numbers", "complex"],
)
def test_a_tensor_of_another_kind_is_refused(tensor: torch.Tensor, tmp_path: Path) -> None:
    torch.save(LeNet5().state_dict() | {"ip2.bias": tensor}, tmp_path / "w.pt")
    with pytest.raises(ConfigError, match=r"ip2\.bias|complex"):
        load_weights(LeNet5(), tmp_path / "w.pt")


def test_damaged_checkpoints_are_one_error(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save(LeNet5().state_dict(), path)
    whole, generator = path.read_bytes(), torch.Generator().manual_seed(0)
    texts = [b"hello" * 100]
    for _ in range(60):
        data = bytearray(whole)
        for place in torch.randint(3000, (3,), generator=generator).tolist():
            data[place] ^= 0x55
        texts.append(bytes(data))
    refused = 0
    for text in texts:
        path.write_bytes(text)
        try:
            load_weights(LeNet5(), path)
        except ConfigError:
            refused += 1
    assert refused > 10
