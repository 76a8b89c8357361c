"""A network of one's own: what is compressed, what is kept, what comes back."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
import yaml
from torch import nn
from torch.nn.utils import prune

import clusterpress
from clusterpress import ConfigError, DataError
from clusterpress.codes import kind_of
from clusterpress.library import compressing
from clusterpress.models.named import network_named
from clusterpress.places import folder
from clusterpress.steps import (
    ClusterKernels,
    ClusterLinear,
    Finetune,
    HashWeights,
    MergeNeurons,
    Prune,
    PruneNeurons,
    Quantize,
    QuantizeCodebook,
    Share,
)
from clusterpress.training.recipe import Recipe

from .networks import Pictures, Sentences, images_and_labels, pictures, sentences

METHODS = sorted(path.stem for path in (folder("conf") / "method").glob("*.yaml"))
IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
SMALL = {
    "son2018": {"cluster.k": 4},
    "son2018_pruned": {"cluster.k": 4},
    "han2016": {"prune.keep": 0.5, "share.bits": 3},
    "liu2019": {"prune.keep": 0.5, "share.bits": 3},
    "gong2014": {"quantize.bits": 2},
    "stock2020": {"quantize.bits": 4},
}
ONE_EPOCH = Recipe(epochs=1, batch_size=16, lr=0.01)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "from_scratch"])
@pytest.mark.parametrize("data", [None, images_and_labels()], ids=["without data", "with data"])
def test_the_file_of_every_method_gives_the_network_back(method, data, tmp_path: Path) -> None:
    recipe = None if data is None else ONE_EPOCH
    model = pictures()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    compressed = clusterpress.compress(
        model, method, data, settings=SMALL.get(method), recipe=recipe, example=IMAGES[:1]
    )
    path = tmp_path / "small.safetensors"
    assert compressed.save(path) == compressed.ledger == clusterpress.inspect(path).ledger
    assert compressed.ledger.file_bytes == path.stat().st_size
    loaded = clusterpress.load(path, into=Pictures().eval())
    assert torch.equal(loaded(IMAGES), compressed.network(IMAGES))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def trains(method: str) -> bool:
    text = yaml.safe_dump(yaml.safe_load((folder("conf") / f"method/{method}.yaml").read_text()))
    return "${recipe." in text


@pytest.mark.parametrize("method", [name for name in METHODS if name != "from_scratch"])
def test_what_training_would_have_done_is_said(method: str) -> None:
    compressed = clusterpress.compress(
        pictures(), method, settings=SMALL.get(method), example=IMAGES[:1]
    )
    assert bool(compressed.left_out) == trains(method)
    assert all("no data were given" in sentence for sentence in compressed.left_out)
    assert all(sentence in str(compressed) for sentence in compressed.left_out)
    trained = clusterpress.compress(
        pictures(), method, images_and_labels(), settings=SMALL.get(method), recipe=ONE_EPOCH
    )
    assert not trained.left_out


def test_shared_parameters_buffers_and_frozen_parts_are_kept_exactly(tmp_path: Path) -> None:
    model, words = sentences(), torch.tensor([[1, 2, 3], [4, 0, 10]])
    compressed = clusterpress.compress(model, [Share(bits=2, init="optimal")])
    compressed.save(tmp_path / "file")
    loaded = clusterpress.load(tmp_path / "file", into=Sentences().eval())
    assert loaded.logits.weight is loaded.embedding.weight
    assert torch.equal(loaded(words), compressed.network(words))
    kept = ("embedding.weight", "logits.weight", "scale", "places", "norm.weight", "frozen.bias")
    for name in (*kept, "attention.in_proj_weight"):
        assert torch.equal(loaded.state_dict()[name], model.state_dict()[name])
    for name in ("inner", "frozen", "attention.out_proj"):
        layer = loaded.get_submodule(name)
        assert kind_of(layer) == "shared"
        assert len(layer.weight.unique()) <= 4
    assert not any(p.requires_grad for p in loaded.frozen.parameters())
    assert loaded.inner.parametrizations.weight.original.requires_grad


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("method", ["han2016", "son2018", "wang2020", "uniform"])
def test_networks_of_other_precision_stay_such(dtype, method: str, tmp_path: Path) -> None:
    model = pictures().to(dtype)
    compressed = clusterpress.compress(
        model, method, settings=SMALL.get(method), example=IMAGES[:1]
    )
    compressed.save(tmp_path / "file")
    loaded = clusterpress.load(tmp_path / "file", into=Pictures().eval())
    for name, value in loaded.state_dict().items():
        if "parametrizations" not in name:
            assert value.dtype == (dtype if value.is_floating_point() else torch.int64), name
    logits = loaded(IMAGES.to(dtype))
    assert logits.dtype == dtype
    assert torch.equal(logits, compressed.network(IMAGES.to(dtype)))
    untouched = "features.1.num_batches_tracked"
    assert torch.equal(loaded.state_dict()[untouched], model.state_dict()[untouched])
    assert {value.dtype for value in model.state_dict().values()} == {dtype, torch.int64}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_what_is_not_compressed_keeps_its_bits_in_other_precision(dtype) -> None:
    model = pictures().to(dtype)
    for parameter in model.parameters():
        parameter.data += 1e-12 * torch.rand_like(parameter)
    compressed = clusterpress.compress(model, "share_fc").network.state_dict()
    for name, value in model.state_dict().items():
        if name != "fc.weight":
            assert torch.equal(compressed[name], value)


def test_the_same_seed_gives_the_same_file_with_training(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        compressed = clusterpress.compress(
            pictures(), "son2018", images_and_labels(), settings=SMALL["son2018"], recipe=ONE_EPOCH
        )
        compressed.save(tmp_path / name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]


def test_steps_as_objects_are_a_method() -> None:
    steps = [Prune(keep=0.5), Finetune(ONE_EPOCH), Share(bits=1)]
    compressed = clusterpress.compress(pictures(), steps)
    assert compressed.method == "1.Prune, 2.Finetune, 3.Share"
    assert compressed.left_out == ("2.Finetune was left out: it trains, and no data were given",)
    assert compressed.facts["1.Prune"]["kept"]["fc"] == 0.5
    assert compressed.ledger.reference_bytes == 4 * sum(
        value.numel() for value in pictures().state_dict().values()
    )


def test_torchvisions_networks_are_compressed_as_they_are(tmp_path: Path) -> None:
    model = torchvision.models.mobilenet_v2(num_classes=3, width_mult=0.25).eval()
    compressed = clusterpress.compress(model, "son2018", settings={"cluster.k": 8})
    compressed.save(tmp_path / "file")
    fresh = torchvision.models.mobilenet_v2(num_classes=3, width_mult=0.25).eval()
    loaded = clusterpress.load(tmp_path / "file", into=fresh)
    images = torch.randn(1, 3, 32, 32)
    assert torch.equal(loaded(images), compressed.network(images))


def pruned_by_hook() -> nn.Module:
    model = pictures()
    nn.utils.parametrizations.weight_norm(model.fc)
    return model


def lazy() -> nn.Module:
    return nn.Sequential(nn.LazyLinear(3))


def pruned_by_torch() -> nn.Module:
    model = pictures()
    prune.random_unstructured(model.fc, "weight", 0.5)
    return model


def compressed(model: object = None, method: object = "none", **options: object) -> Callable:
    model = pictures() if model is None else model
    return lambda: clusterpress.compress(model, method, **options)


WRONG = {
    "method": (lambda: clusterpress.compress(pictures(), "son2019"), "nearest is 'son2018'"),
    "step": (
        lambda: clusterpress.compress(pictures(), "son2018", settings={"share.k": 3}),
        "no step 'share'",
    ),
    "knob": (
        lambda: clusterpress.compress(pictures(), "son2018", settings={"cluster.kk": 3}),
        "nearest is 'k'",
    ),
    "value": (
        lambda: clusterpress.compress(pictures(), "son2018", settings={"cluster.k": 10**5}),
        "not a whole number",
    ),
    "too many": (
        lambda: clusterpress.compress(pictures(), "son2018", settings={"cluster.k": 5000}),
        "5000|5,000",
    ),
    "no steps": (lambda: clusterpress.compress(pictures(), []), "empty list"),
    "no step": (lambda: clusterpress.compress(pictures(), [nn.ReLU()]), "is no step"),
    "settings of steps": (
        lambda: clusterpress.compress(pictures(), [Share()], settings={"share.bits": 2}),
        "steps have their own",
    ),
    "recipe": (
        lambda: clusterpress.compress(pictures(), "none", recipe={"tune": ONE_EPOCH}),
        "it must be a Recipe",
    ),
    "no example": (lambda: clusterpress.compress(pictures(), "wang2020"), "example="),
    "new weights": (
        lambda: clusterpress.compress(pictures(), "from_scratch", example=IMAGES[:1]),
        "worth nothing without data",
    ),
    "no images": (
        compressed(method=[Share(2), ClusterKernels(4, reestimate=True)]),
        r"2\.ClusterKernels estimates BatchNorm's statistics from images: give data",
    ),
    "data": (lambda: clusterpress.compress(pictures(), "none", [1, 2]), "data is a list"),
    "a class": (compressed(method=[Prune]), "is no step"),
    "one step": (compressed(method=Prune(keep=0.5)), "list of steps"),
    "a step for a knob": (compressed(method="son2018", settings={"cluster": 3}), "names no knob"),
    "another class": (
        compressed(method="son2018", settings={"cluster._target_": "os.getcwd"}),
        "names no knob",
    ),
    "no tensor": (compressed(method="wang2020", example=[1]), "must be a tensor"),
    "bytes": (compressed(method="wang2020", example=IMAGES.byte()), "tensor of torch.uint8"),
    "no memory of it": (compressed(example=IMAGES.to("meta")), "device meta"),
    "sparse": (compressed(example=IMAGES.to_sparse()), "layout torch.sparse_coo"),
    "no batch": (compressed(example=IMAGES[:0]), r"shape \(0, 3, 8, 8\)"),
    "no numbers": (compressed(example=IMAGES * torch.nan), "finite numbers"),
    "no settings": (compressed(method="son2018", settings=["cluster.k"]), "must be a dict"),
    "no text": (compressed(method="son2018", settings={1: 2}), "must be a dict"),
    "no value": (
        compressed(method="son2018", settings={"cluster.k": {None: 2}}),
        "'cluster.k' cannot be {None: 2}",
    ),
    "half an interpolation": (
        compressed(method="son2018", settings={"cluster.k": "${"}),
        r"'cluster.k' cannot be '\$\{'",
    ),
    "no recipes": (compressed(method="none", recipe="short"), "must be a Recipe"),
    "no seed": (compressed(seed=-1), "seed is -1"),
    "no whole seed": (compressed(seed=0.0), "seed is 0.0"),
    "no trainer": (compressed(trainer="gpu"), "must be TrainerSettings"),
    "no network": (compressed(IMAGES), "must be a torch module"),
    "no sizes": (compressed(lazy()), "no size yet"),
    "no memory": (compressed(pictures().to("meta")), "no memory"),
    "pruned by torch": (compressed(pruned_by_torch()), r"prune\.remove"),
    "channels": (
        compressed(data=(images_and_labels()[0][:, :1], images_and_labels()[1])),
        r"images of shape \(1, 8, 8\)",
    ),
    "no logits": (compressed(Pictures().features, data=images_and_labels()), r"not logits"),
    "architecture": (compressed(architecture={"name": "lenet55", "args": {}}), "is 'lenet5'"),
    "another architecture": (
        compressed(architecture={"name": "lenet5", "args": {}}),
        "no lenet5 of {}: see tensor 'features.0.weight'",
    ),
    "architecture's form": (compressed(architecture={"args": {}}), "name is not a short text"),
    "foreign": (lambda: clusterpress.compress(pruned_by_hook(), "none"), "parametrized"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_refused_with_a_sentence(name: str) -> None:
    call, sentence = WRONG[name]
    with pytest.raises(ConfigError, match=sentence):
        call()


def test_a_network_that_says_the_size_of_its_images_needs_no_example() -> None:
    model = network_named("lenet5").build()
    assert clusterpress.compress(model, [MergeNeurons(0.5)]).network.ip1.out_features == 250


def test_every_module_keeps_its_mode() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 4))
    model.train()[1].eval()
    network = clusterpress.compress(model, [MergeNeurons(0.5), Share(2)], example=IMAGES).network
    assert [layer.training for layer in network] == [True, False, True, True]
    assert network.training


def test_a_layer_without_weights_is_left_alone() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 0))
    for step in (Share(1), Quantize(2), HashWeights(2), ClusterLinear(2)):
        network = clusterpress.compress(model, [step]).network
        assert [kind_of(layer) == "dense" for layer in network] == [False, True]


ORDERS = {
    "pruned": (Prune(0.5), HashWeights(8), "HashWeights would bring its zeros back"),
    "hashed": (HashWeights(8), QuantizeCodebook(), "no layer shares weights"),
    "few left": (Prune({"fc": 0.05}), Share({"fc": 3}), "'fc' has 3 kept weights"),
    "narrower": (MergeNeurons(0.25), Share({"fc": 5}), "'fc' has 16 kept weights"),
    "logits": (MergeNeurons(1.0), MergeNeurons({"fc": 0.5}), "no hidden layer"),
    "target": (MergeNeurons(0.5), PruneNeurons(remove=0.99), "remove is"),
}


@pytest.mark.parametrize("order", ORDERS)
def test_steps_that_cannot_follow_one_another_are_refused_before_any_trains(
    monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(compressing, "train", lambda *_, **__: pytest.fail("it trained"))
    first, then, sentence = ORDERS[order]
    model = pictures()
    for steps in ([first, Finetune(ONE_EPOCH), then], [Finetune(ONE_EPOCH), first, then]):
        with pytest.raises(ConfigError, match=sentence):
            clusterpress.compress(model, steps, images_and_labels())
    if not isinstance(first, MergeNeurons):
        model = clusterpress.compress(model, [first]).network
        with pytest.raises(ConfigError, match=sentence):
            clusterpress.compress(model, [Finetune(ONE_EPOCH), then], images_and_labels())


def test_wrong_images_and_weights_are_data_errors() -> None:
    images, labels = images_and_labels()
    with pytest.raises(DataError, match="uint8"):
        clusterpress.compress(pictures(), "none", (images.float(), labels))
    for wrong in (labels + 1, labels - 1):
        with pytest.raises(DataError, match="outputs from 0 to 3"):
            clusterpress.compress(pictures(), "none", (images, wrong))
    model = pictures()
    model.fc.weight.data[0, 0] = torch.nan
    with pytest.raises(DataError, match="'fc'"):
        clusterpress.compress(model, "han2016")


def test_a_network_without_layers_to_compress_says_so() -> None:
    convolution = nn.Sequential(nn.ConvTranspose2d(2, 3, 3))
    for model in (convolution, torch.jit.script(pictures())):
        left_out = clusterpress.compress(model, [Share(bits=1)]).left_out
        assert left_out[0].startswith("no weight was compressed")


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="compres'"):
        _ = clusterpress.compres


@pytest.mark.parametrize(
    ("method", "step", "sizes"),
    [
        ("son2018", "cluster", {"3x3": 6}),
        ("han2016", "share", {"0": 5, "2": 1, "3": 1}),
        ("wu2019", "cluster", {"2": 12, "3": 4}),
    ],
)
def test_small_layers_get_fewer_centroids_and_it_is_said(method, step, sizes) -> None:
    torch.manual_seed(0)
    # 54, 12 and 4 weights, of which han2016 keeps a tenth.
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.Flatten(), nn.Linear(6, 2, bias=False), nn.Linear(2, 2)
    )
    settings = {"prune.keep": 0.1} if method == "han2016" else None
    compressed = clusterpress.compress(model, method, settings=settings)
    said = [line for line in compressed.left_out if line.startswith(f"{step}: ")]
    assert compressed.facts[step]["fewer_centroids"] == sizes
    assert said == [f"{step}: {name!r} is small and has {k} centroids" for name, k in sizes.items()]
    with pytest.raises(ConfigError, match="exact=false"):
        clusterpress.compress(model, method, settings={f"{step}.exact": True})


def test_layers_that_blocks_do_not_divide_stay_and_it_is_said() -> None:
    model = nn.Sequential(nn.Linear(6, 64), nn.Linear(64, 10))
    compressed = clusterpress.compress(model, "stock2020")
    assert "quantize: '0' stays as it is: blocks do not divide its rows" in compressed.left_out
    assert [kind_of(layer) for layer in compressed.network] == ["dense", "product"]
    with pytest.raises(ConfigError, match="rows of 6 weights, which blocks of 4 do not divide"):
        clusterpress.compress(model, "stock2020", settings={"quantize.block": 4})


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_an_example_has_the_networks_own_dtype(dtype: torch.dtype) -> None:
    example = IMAGES[:1].to(dtype)
    merged = clusterpress.compress(pictures().to(dtype), "wang2020", example=example).network
    assert merged(example).dtype == dtype
