"""What is loaded is what was saved: bit for bit, trainable, at the saved sizes."""

import copy
import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from clusterpress import ArtifactError, ConfigError, StoreError
from clusterpress.artifact import Ledger, layer_breakdown, load, packing, read, save
from clusterpress.codes import cast_to, code_of, dense_copy, kind_of
from clusterpress.models import MODELS

from .golden import CODERS, GOLDEN, GOLDEN_2, GOLDEN_2_FAST, OPTIONS, golden_network
from .networks import NETWORKS, Small, dense_network, masked, mixed_network, shared

TORCHVISION = {name for name in MODELS if name.startswith("torchvision_")}


def saved(network: nn.Module, folder: Path, **options: object) -> tuple[Path, Ledger]:
    path = folder / "network.safetensors"
    return path, save(network, path, **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_loaded_network_is_the_saved_one(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]()
    path, _ = saved(network, tmp_path)
    loaded = load(path, into=Small().eval())
    before, after = dense_copy(network).state_dict(), dense_copy(loaded).state_dict()
    assert before.keys() == after.keys()
    for tensor, value in before.items():
        assert value.dtype == after[tensor].dtype
        assert torch.equal(value, after[tensor])
    images = torch.randn(5, 1, 6, 6)
    assert torch.equal(network(images), loaded(images))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_ledger_is_the_file(name: str, tmp_path: Path) -> None:
    path, ledger = saved(NETWORKS[name](), tmp_path)
    data = path.read_bytes()
    # The length field, the JSON that it measures, two lengths, the directory, and the digest.
    start = 8 + int.from_bytes(data[:8], "little")
    deflated = int.from_bytes(data[start : start + 4], "little")
    assert ledger.header_bytes == start + 8 + deflated + 32
    assert ledger.file_bytes == len(data) == path.stat().st_size
    assert read(path).ledger == ledger
    assert sum(layer.stored_bytes for layer in layer_breakdown(ledger)) == (
        ledger.file_bytes - ledger.header_bytes
    )
    parts = ("codebook", "index", "position", "dense", "scale", "transform")
    assert ledger.weight_stream_bytes == sum(map(ledger.part_bytes, parts))


@pytest.mark.parametrize("name", NETWORKS)
def test_loading_and_saving_again_changes_no_byte(name: str, tmp_path: Path) -> None:
    path, _ = saved(NETWORKS[name](), tmp_path)
    again = tmp_path / "again"
    save(load(path, into=Small()), again)
    assert again.read_bytes() == path.read_bytes()


def test_loaded_codes_are_attached_and_learn(tmp_path: Path) -> None:
    path, _ = saved(mixed_network(), tmp_path)
    network = load(path, into=Small())
    assert [kind_of(layer) for layer in (network.conv, network.ip1, network.ip2)] == [
        "masked",
        "shared",
        "shared",
    ]
    assert isinstance(network, Small)
    before = {name: value.clone() for name, value in network.named_parameters()}
    zeros = network.conv.weight == 0
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    network(torch.randn(4, 1, 6, 6)).square().sum().backward()
    optimiser.step()
    assert all(
        not torch.equal(before[name], value)
        for name, value in network.named_parameters()
        if not name.startswith("conv.bias")
    )  # a norm follows: its gradient is zero
    assert torch.all(network.conv.weight[zeros] == 0)
    assert network.ip1.weight.unique().numel() <= 17


def test_a_coded_network_takes_a_dense_file(tmp_path: Path) -> None:
    dense = dense_network()
    path, _ = saved(dense, tmp_path)
    loaded = load(path, into=mixed_network())
    assert kind_of(loaded.ip1) == "dense"
    assert torch.equal(loaded.ip1.weight, dense.ip1.weight)
    assert loaded.ip1.weight.requires_grad


def test_nan_payloads_and_negative_zero_survive(tmp_path: Path) -> None:
    network = dense_network()
    bits = torch.randint(-(2**31), 2**31 - 1, network.ip1.weight.shape, dtype=torch.int32)
    bits[0, 0] = -(2**31)
    network.ip1.weight.data = bits.view(torch.float32)
    path, _ = saved(network, tmp_path)
    loaded = load(path, into=Small())
    assert torch.equal(loaded.ip1.weight.detach().view(torch.int32), bits)


def test_merged_sizes_are_taken_over(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(1, 5, 3), nn.Flatten(), nn.Linear(5 * 16, 7), nn.Linear(7, 3))
    shared(network[2], 4, 0.5)
    big = nn.Sequential(nn.Conv2d(1, 20, 3), nn.Flatten(), nn.Linear(320, 50), nn.Linear(50, 3))
    masked(big[2])
    reference = {name: value.numel() for name, value in dense_copy(big).state_dict().items()}
    path, ledger = saved(network, tmp_path, reference=reference)
    loaded = load(path, into=big)
    assert loaded is big
    assert (big[0].out_channels, big[2].in_features, big[2].out_features) == (5, 80, 7)
    images = torch.randn(2, 1, 6, 6)
    assert torch.equal(loaded(images), network(images))
    assert ledger.reference_bytes == 4 * sum(reference.values())
    assert read(path).ledger == ledger
    assert ledger.file_bytes == path.stat().st_size


def test_merged_norms_are_taken_over(tmp_path: Path) -> None:
    network, big = Small(filters=3, hidden=7).eval(), Small(filters=4, hidden=12).eval()
    network.norm.running_mean.uniform_(-1, 1)
    path, ledger = saved(network, tmp_path)
    loaded = load(path, into=big)
    assert (big.norm.num_features, big.conv.out_channels) == (3, 3)
    assert all(len(tensor) == 3 for tensor in big.norm.state_dict().values() if tensor.ndim)
    assert big.norm.weight.requires_grad
    images = torch.randn(2, 1, 6, 6)
    assert torch.equal(loaded(images), network(images))
    assert read(path).ledger == ledger
    big.train()(images).sum().backward()


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d])
@pytest.mark.parametrize("affine", [True, False])
def test_norms_with_and_without_weights_are_resized(tmp_path: Path, norm, affine: bool) -> None:
    path, _ = saved(nn.Sequential(norm(3, affine=affine)), tmp_path)
    loaded = load(path, into=nn.Sequential(norm(8, affine=affine)))
    assert loaded[0].num_features == len(loaded[0].running_var) == 3


@pytest.mark.parametrize("norm", [nn.LayerNorm, lambda n: nn.GroupNorm(1, n)])
def test_other_norms_keep_their_size(tmp_path: Path, norm) -> None:
    path, _ = saved(nn.Sequential(norm(4)), tmp_path)
    with pytest.raises(ArtifactError, match="does not fit"):
        load(path, into=nn.Sequential(norm(8)))


@pytest.mark.parametrize("tensor", ["weight", "bias", "running_mean", "running_var"])
def test_a_norm_whose_tensors_differ_in_size_is_refused(tmp_path: Path, tensor: str) -> None:
    damaged, big = Small(), Small()
    value = getattr(damaged.norm, tensor)
    value.data = value.data[:3].clone()
    path, _ = saved(damaged, tmp_path)
    with pytest.raises(ArtifactError, match=r"norm\.\w+' of shape \(\d,\) does not fit"):
        load(path, into=big)
    assert big.norm.num_features == len(big.norm.weight) == 4


@pytest.mark.parametrize("shape", [(0,), (2, 2), ()])
def test_a_norm_that_is_no_list_of_features_is_refused(tmp_path: Path, shape) -> None:
    network = nn.Sequential(nn.BatchNorm2d(4))
    for tensor in ("weight", "bias", "running_mean", "running_var"):
        getattr(network[0], tensor).data = torch.ones(shape)
    path, _ = saved(network, tmp_path)
    with pytest.raises(ArtifactError, match="does not fit"):
        load(path, into=nn.Sequential(nn.BatchNorm2d(4)))


def test_a_norm_counts_its_batches_in_one_number(tmp_path: Path) -> None:
    network = Small()
    network.norm.num_batches_tracked.data = torch.zeros(3, dtype=torch.int64)
    network.ip1 = nn.Linear(64, 11)
    path, _ = saved(network, tmp_path)
    with pytest.raises(ArtifactError, match="num_batches_tracked"):
        load(path, into=Small())


def test_grouped_convolutions_keep_their_channels(tmp_path: Path) -> None:
    path, _ = saved(nn.Sequential(nn.Conv2d(8, 6, 3, groups=2)), tmp_path)
    loaded = load(path, into=nn.Sequential(nn.Conv2d(16, 4, 3, groups=2)))
    assert (loaded[0].in_channels, loaded[0].out_channels) == (8, 6)
    assert loaded(torch.randn(1, 8, 5, 5)).shape == (1, 6, 3, 3)


@pytest.mark.parametrize("keep", [0.0, 1.0])
def test_pruning_all_or_nothing_comes_back(keep: float, tmp_path: Path) -> None:
    network = dense_network()
    masked(network.conv, keep)
    shared(network.ip1, 4 if keep else 0, keep)
    path, ledger = saved(network, tmp_path)
    loaded = load(path, into=Small())
    assert torch.equal(loaded.ip1.weight, network.ip1.weight)
    assert torch.equal(loaded.conv.weight, network.conv.weight)
    assert ledger.part_bytes("position") <= 2


# torchvision's own are large, and tested where they are defined.
@pytest.mark.parametrize("name", sorted(set(MODELS) - TORCHVISION))
def test_recorded_architectures_are_built_without_a_network(name: str, tmp_path: Path) -> None:
    network = MODELS[name](classes=7, channels=1).eval()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    shared(layers[0], 32, 0.08)
    path, ledger = saved(
        network,
        tmp_path,
        architecture={"name": name, "args": {"classes": 7, "channels": 1}},
        coder="fast",
    )
    assert ledger.header_bytes < max(2048, 256 * len(ledger.tensors()))
    state = torch.get_rng_state()
    loaded = load(path).eval()
    assert torch.equal(state, torch.get_rng_state())
    assert type(loaded) is type(network)
    images = torch.randn(2, 1, *network.image_size)
    assert torch.equal(loaded(images), network(images))


def test_the_fully_coded_lenet5_has_a_header_under_2_kb(tmp_path: Path) -> None:
    network = MODELS["lenet5"]()
    for layer in (network.conv1, network.conv2, network.ip1, network.ip2):
        shared(layer, 32, 0.08)
    architecture = {"name": "lenet5", "args": {"classes": 10, "channels": 1}}
    path, ledger = saved(network, tmp_path, architecture=architecture)
    assert ledger.header_bytes < 2048
    assert read(path).architecture == architecture


def test_an_architecture_is_needed_without_a_network(tmp_path: Path) -> None:
    path, _ = saved(dense_network(), tmp_path)
    with pytest.raises(ConfigError, match="pass a network as into="):
        load(path)


@pytest.mark.parametrize(
    ("architecture", "sentence"),
    [
        ({"name": "os.system", "args": {}}, "not one of"),
        ({"name": "lenet5", "args": {"classes": 0}}, "does not take"),
        ({"name": "lenet5", "args": {"command": "ls"}}, "does not take"),
    ],
)
def test_unknown_architectures_are_refused(
    architecture: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    path, _ = saved(dense_network(), tmp_path, architecture=architecture)
    with pytest.raises(ArtifactError, match=sentence):
        load(path)


def test_a_file_that_does_not_fit_leaves_the_network_as_it_is(tmp_path: Path) -> None:
    path, _ = saved(mixed_network(), tmp_path)
    others = (
        nn.Sequential(nn.Linear(3, 3)),
        nn.Sequential(nn.Conv2d(1, 4, 5)),
    )
    for other in others:
        before = copy.deepcopy(other.state_dict())
        with pytest.raises(ArtifactError, match="lacks tensors"):
            load(path, into=other)
        assert all(torch.equal(before[name], value) for name, value in other.state_dict().items())
    narrow = Small()
    narrow.conv = nn.Conv2d(1, 4, 5)
    before = copy.deepcopy(narrow.state_dict())
    with pytest.raises(ArtifactError, match=r"conv\.weight"):
        load(path, into=narrow)
    assert all(torch.equal(before[name], value) for name, value in narrow.state_dict().items())
    assert code_of(narrow.ip1) is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"position_bits": 0}, "position_bits"),
        ({"reference": {"nothing.weight": 3}}, "nothing.weight"),
        ({"reference": {"ip1.weight": -1}}, "reference of 'ip1.weight'"),
        ({"architecture": {"name": "lenet5", "args": {"classes": [10]}}}, "classes"),
        ({"architecture": "lenet5"}, "architecture"),
    ],
)
def test_bad_settings_are_refused(
    options: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        saved(dense_network(), tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_networks_that_cannot_be_held_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"0\.weight.*parametrized"):
        saved(nn.Sequential(weight_norm(nn.Linear(3, 3))), tmp_path)
    holder = nn.Module()
    holder.register_buffer("counts", torch.zeros(3, dtype=torch.uint16))
    with pytest.raises(ConfigError, match=r"'counts'.*unsigned"):
        saved(holder, tmp_path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_parameters_keep_their_dtype_and_bits(
    dtype: torch.dtype, tmp_path: Path
) -> None:
    network = nn.Sequential(nn.Linear(3, 2)).to(dtype)
    path, ledger = saved(network, tmp_path)
    assert ledger.part_bytes("dense") <= 12
    loaded = load(path, into=nn.Sequential(nn.Linear(3, 2)))
    for name, value in network.state_dict().items():
        assert loaded.state_dict()[name].dtype == dtype
        assert torch.equal(loaded.state_dict()[name], value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_code_of_a_half_precision_layer_gives_the_layers_dtype_back(
    dtype: torch.dtype, tmp_path: Path
) -> None:
    network = nn.Sequential(nn.Linear(6, 4))
    shared(network[0])
    network[0].bias = nn.Parameter(network[0].bias.detach().to(dtype))
    cast_to(network[0], "weight", dtype)
    path, _ = saved(network, tmp_path)
    loaded = load(path, into=nn.Sequential(nn.Linear(6, 4)))
    assert loaded[0].weight.dtype == dtype
    assert torch.equal(loaded[0].weight, network[0].weight)
    images = torch.ones(2, 6, dtype=dtype)
    assert torch.equal(loaded(images), network(images))
    first = path.read_bytes()
    assert saved(loaded, tmp_path)[0].read_bytes() == first


def _pair() -> nn.ModuleDict:
    return nn.ModuleDict({"first": nn.Linear(4, 4), "second": nn.Linear(4, 4)})


def test_tied_tensors_are_stored_once_and_come_back_tied(tmp_path: Path) -> None:
    network, apart = _pair(), _pair()
    network["second"].weight = network["first"].weight
    path, ledger = saved(network, tmp_path)
    assert "second.weight" not in ledger.shapes
    tied = _pair()
    tied["second"].weight = tied["first"].weight
    for into in (apart, tied):
        loaded = load(path, into=into)
        assert loaded["first"].weight is loaded["second"].weight
        assert torch.equal(loaded["second"].weight, network["first"].weight)


def test_ties_that_a_file_cannot_give_back_are_refused_by_name(tmp_path: Path) -> None:
    network = _pair()
    network["second"].weight = network["first"].weight
    path, _ = saved(copy.deepcopy(network).apply(_untie), tmp_path)
    with pytest.raises(ArtifactError, match=r"'first\.weight' and 'second\.weight' are tied"):
        load(path, into=network)
    network["second"].weight = nn.Parameter(network["first"].weight.detach().T)
    with pytest.raises(ConfigError, match="tied"):
        saved(network, tmp_path)


def _untie(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        module.weight = nn.Parameter(module.weight.detach().clone())


class Counting(nn.Linear):
    def get_extra_state(self) -> dict[str, int]:
        return {"calls": 3}


def test_modules_that_keep_more_than_tensors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Module '0'.* keeps _extra_state besides parameters"):
        save(nn.Sequential(Counting(4, 3)), tmp_path / "file")
    assert not (tmp_path / "file").exists()
    scripted = torch.jit.script(nn.Sequential(nn.Linear(4, 3)))
    saved(scripted, tmp_path)


def test_only_a_network_in_memory_is_loaded_into(tmp_path: Path) -> None:
    path, _ = saved(mixed_network(), tmp_path)
    for into, sentence in ((Small().to("meta"), "to_empty"), (Small, "must be a torch module")):
        with pytest.raises(ConfigError, match=sentence):
            load(path, into=into)


def test_a_layer_used_twice_stays_one_layer(tmp_path: Path) -> None:
    def twice() -> nn.Sequential:
        layer = nn.Linear(4, 4)
        return nn.Sequential(layer, nn.ReLU(), layer)

    network, other = twice(), twice()
    masked(network[0])
    path, ledger = saved(network, tmp_path)
    loaded = load(path, into=other)
    assert set(ledger.shapes) == {"0.weight", "0.bias"}
    assert loaded[0] is loaded[2]
    inputs = torch.randn(2, 4)
    assert torch.equal(loaded(inputs), network(inputs))


def test_a_layer_of_two_dtypes_is_refused(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 2))
    network[0].bias = nn.Parameter(network[0].bias.detach().half())
    with pytest.raises(ConfigError, match=r"'0\.bias' of dtype 'f2'"):
        saved(network, tmp_path)


def test_buffers_stay_whole_numbers_or_floats(tmp_path: Path) -> None:
    path, _ = saved(dense_network(), tmp_path)
    other = Small()
    other.norm.num_batches_tracked = torch.zeros(())
    with pytest.raises(ArtifactError, match=r"num_batches_tracked' has dtype torch\.int64"):
        load(path, into=other)


def test_a_part_that_the_network_would_not_write_is_refused(tmp_path: Path) -> None:
    network = nn.ModuleDict({"one": nn.LayerNorm(4)})
    path, _ = saved(network, tmp_path)
    other = nn.ModuleDict({"one": nn.ParameterDict({"weight": torch.ones(4)})})
    other["one"]["bias"] = torch.ones(4)
    with pytest.raises(ArtifactError, match="declared part 'norm', the network's is"):
        load(path, into=other)


def test_networks_under_foreign_parametrizations_take_no_file(tmp_path: Path) -> None:
    path, _ = saved(nn.Sequential(nn.Linear(3, 3)), tmp_path)
    with pytest.raises(ArtifactError, match="what is no code"):
        load(path, into=nn.Sequential(weight_norm(nn.Linear(3, 3))))


@pytest.mark.parametrize("golden", [GOLDEN, GOLDEN_2, GOLDEN_2_FAST])
def test_files_of_every_version_are_read_as_ever(golden: Path) -> None:
    """Each golden file was written by the first release of its version."""
    network = golden_network()
    loaded = load(golden, into=Small())
    expected = dense_copy(network).state_dict()
    for name, value in dense_copy(loaded).state_dict().items():
        assert value.dtype == expected[name].dtype
        assert torch.equal(value, expected[name])
    assert loaded.ip2.weight.detach()[0, :3].tolist() == [-50 / 64, -40 / 64, 24 / 64]
    assert read(golden).ledger.file_bytes == golden.stat().st_size
    coders = {s.coder for e in read(golden).directory.values() for s in e.streams}
    assert coders == CODERS[golden]


@pytest.mark.parametrize(("golden", "coder"), [(GOLDEN_2, "small"), (GOLDEN_2_FAST, "fast")])
def test_files_of_version_2_are_written_as_ever(
    golden: Path, coder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_MANY_SYMBOLS", 64)
    monkeypatch.setattr(packing, "_MANY_FLOATS", 64)
    for one in (golden_network(), load(golden, into=Small()), load(GOLDEN, into=Small())):
        path, ledger = saved(one, tmp_path, **OPTIONS, coder=coder)
        assert path.read_bytes() == golden.read_bytes()
        assert read(golden).ledger == ledger


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = saved(dense_network(), tmp_path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        saved(mixed_network(), tmp_path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_missing_folder_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        save(dense_network(), tmp_path / "nowhere" / "file")


def test_the_size_of_the_convolutions_is_the_baselines(tmp_path: Path) -> None:
    network = MODELS["lenet5"](classes=10, channels=1)
    _, dense = saved(network, tmp_path)
    assert dense.conv_weight_bytes == 4 * (20 * 25 + 50 * 20 * 25)
    reference = {name: tensor.numel() for name, tensor in network.state_dict().items()}
    network.conv1 = nn.Conv2d(1, 7, 5)
    network.conv2 = nn.Conv2d(7, 50, 5)
    assert saved(network, tmp_path, reference=reference)[1].conv_weight_bytes == 102_000
