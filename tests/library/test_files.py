"""From weights to a small file, and from there to dense weights and ONNX."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from typer.testing import CliRunner

import clusterpress
from clusterpress import ArtifactError, ConfigError
from clusterpress.cli import app
from clusterpress.codes import dense_copy
from clusterpress.library import decompress, export, exporting
from clusterpress.models.named import network_named
from clusterpress.steps import (
    EntropyShare,
    HashWeights,
    ProductQuantize,
    Prune,
    Quantize,
    Share,
)

from .networks import Pictures, images_and_labels, pictures, sentences

PICTURES = f"{Pictures.__module__}:Pictures"


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)


def test_the_dense_file_is_what_the_codes_give(tmp_path: Path) -> None:
    compressed = clusterpress.compress(sentences().half(), [Share(bits=2)])
    compressed.save(tmp_path / "small")
    size = decompress(tmp_path / "small", tmp_path / "dense")
    assert size == (tmp_path / "dense").stat().st_size
    dense, wanted = load_file(tmp_path / "dense"), dense_copy(compressed.network).state_dict()
    assert dense.keys() == wanted.keys()
    for name, value in wanted.items():
        assert dense[name].dtype == value.dtype
        assert torch.equal(dense[name], value)


ONE_WEIGHT = {
    "pruned": Prune(1.0),
    "shared": Share(1, exact=False),
    "quantized": Quantize(4),
    "between two ends": Quantize(4, symmetric=False),
    "rows": Quantize(8, symmetric=False, per_channel=True),
    "hashed": HashWeights(8),
    "product": ProductQuantize(1, 1),
    "entropy": EntropyShare(),
}


@pytest.mark.parametrize("form", ONE_WEIGHT)
def test_a_layer_of_one_weight_has_a_file_in_every_form(form: str, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 5))
    compressed = clusterpress.compress(model, [ONE_WEIGHT[form]])
    compressed.save(tmp_path / "small")
    loaded, inputs = clusterpress.load(tmp_path / "small", into=model), torch.randn(4, 1)
    assert torch.equal(loaded(inputs), compressed.network(inputs))


@pytest.mark.parametrize("method", ["han2016", "wang2020"])
def test_onnx_computes_the_same_and_merged_networks_are_smaller(
    method: str, tmp_path: Path
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    images = torch.randn(5, 3, 8, 8)
    settings = {"prune.keep": 0.5, "share.bits": 3} if method == "han2016" else {}
    model = clusterpress.compress(pictures(), method, settings=settings, example=images[:1]).network
    size = export(model, tmp_path / "small.onnx", (3, 8, 8))
    assert size == (tmp_path / "small.onnx").stat().st_size
    session = onnxruntime.InferenceSession(tmp_path / "small.onnx")
    (given,) = session.run(None, {"images": images.numpy()})
    np.testing.assert_allclose(given, model(images).detach().numpy(), atol=1e-4)
    if method == "wang2020":
        assert size < export(pictures(), tmp_path / "full.onnx", (3, 8, 8))


def test_an_export_that_computes_something_else_gets_no_file(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("onnxruntime")
    other = exporting._exported(pictures().eval(), torch.randn(2, 3, 8, 8))
    monkeypatch.setattr(exporting, "_exported", lambda *_: other)
    model = pictures()
    model.fc.bias.data += 0.01
    with pytest.raises(ArtifactError, match=r"small\.onnx was not written"):
        export(model, tmp_path / "small.onnx", (3, 8, 8))
    assert not list(tmp_path.iterdir())


def test_an_export_says_what_is_missing_or_does_not_fit(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(ConfigError, match="does not take an input"):
        export(pictures(), tmp_path / "x.onnx", (7, 8, 8))
    monkeypatch.setattr(exporting, "_NEEDED", ("onnx", "surely_missing"))
    with pytest.raises(ConfigError, match=r"needs surely_missing: pip install"):
        export(pictures(), tmp_path / "x.onnx", (3, 8, 8))


class Pairs(Pictures):
    def forward(self, images):
        return super().forward(images), images


class OneImage(nn.Module):
    """Takes one image at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(12, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.linear(images.reshape(1, 12))
        return outputs


def test_an_export_says_that_a_network_takes_one_image_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"takes one input of shape \(3, 2, 2\) at a time"):
        export(OneImage().eval(), tmp_path / "x.onnx", (3, 2, 2))


def test_an_export_takes_one_tensor_out_and_leaves_the_random_state(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    state = torch.get_rng_state()
    with pytest.raises(ConfigError, match="gives a tuple"):
        export(Pairs().eval(), tmp_path / "x.onnx", (3, 8, 8))
    export(pictures(), tmp_path / "x.onnx", (3, 8, 8))
    again = torch.get_rng_state()
    torch.set_rng_state(state)
    Pairs()
    assert torch.equal(torch.get_rng_state(), again)


def test_the_commands_go_from_weights_to_a_file_and_back(tmp_path: Path) -> None:
    save_file(pictures().state_dict(), tmp_path / "weights.safetensors")
    small, dense = tmp_path / "small.safetensors", tmp_path / "dense.safetensors"
    done = run(
        *("compress", tmp_path / "weights.safetensors", "--arch", PICTURES, "-o", small),
        *("--method", "wang2020", "--set", "merge.keep=0.5", "--input", "3,8,8"),
    )
    assert done.exit_code == 0, done.output
    assert "finetune was left out" in done.output
    assert run("decompress", small, "-o", dense).exit_code == 0
    merged = Pictures().eval()
    clusterpress.load(small, into=merged)
    assert merged.features[0].out_channels == 4
    again = Pictures(4).eval()
    again.load_state_dict(load_file(dense))
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(again(images), merged(images))


def test_a_network_of_ours_needs_no_name_to_be_read(tmp_path: Path) -> None:
    weights, small = tmp_path / "weights.safetensors", tmp_path / "small.safetensors"
    save_file(network_named("lenet300_100(classes=7)").build().state_dict(), weights)
    arch = "lenet300_100(classes=7)"
    done = run("compress", weights, "--arch", arch, "--method", "share_fc", "-o", small)
    assert done.exit_code == 0, done.output
    assert clusterpress.load(small)(torch.zeros(1, 1, 28, 28)).shape == (1, 7)


def test_both_coders_give_the_weights_back_in_files_of_their_own(tmp_path: Path) -> None:
    # Dense floats of more than 65,536 are where "fast" codes a small network otherwise.
    network = network_named("lenet300_100").build()
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    for coder in ("small", "fast"):
        words = ("--arch", "lenet300_100", "--method", "none", "-o", tmp_path / coder)
        done = run("compress", tmp_path / "weights.safetensors", *words, "--coder", coder)
        assert done.exit_code == 0, done.output
        for name, value in clusterpress.load(tmp_path / coder).state_dict().items():
            assert torch.equal(value, network.state_dict()[name])
    assert (tmp_path / "small").stat().st_size < (tmp_path / "fast").stat().st_size


@pytest.mark.parametrize("coder", ["smallest", ""])
def test_a_coder_that_there_is_not_is_refused(coder: str, tmp_path: Path) -> None:
    save_file(pictures().state_dict(), tmp_path / "weights.safetensors")
    words = ("--arch", PICTURES, "--method", "none", "-o", tmp_path / "out", "--coder", coder)
    assert run("compress", tmp_path / "weights.safetensors", *words).exit_code == 2
    with pytest.raises(ConfigError, match="small, fast"):
        clusterpress.compress(pictures(), "none").save(tmp_path / "out", coder=coder)
    assert not (tmp_path / "out").exists()


def test_weights_of_half_precision_make_a_network_of_half_precision(tmp_path: Path) -> None:
    save_file(pictures().half().state_dict(), tmp_path / "half.safetensors")
    network = network_named(PICTURES).trained(tmp_path / "half.safetensors")
    assert network.fc.weight.dtype == torch.float16


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--set", "merge.keep"), "must be like cluster.k=128"),
        (("--input", "3,x"), "whole numbers like 3,224,224"),
        (("--input", "0,8,8"), "whole numbers like 3,224,224"),
        (("--input", "1,28,99999999999999999999"), "more than 134,217,728 numbers"),
        (("--set", "merge.keep=2020-01-01"), "'merge.keep' cannot be datetime.date(2020, 1, 1)"),
        ((), "--input"),
    ],
)
def test_wrong_options_are_refused(words, sentence: str, tmp_path: Path) -> None:
    save_file(pictures().state_dict(), tmp_path / "weights.safetensors")
    out = tmp_path / "small"
    done = run(
        *("compress", tmp_path / "weights.safetensors", "--arch", PICTURES, "-o", out),
        *("--method", "wang2020", *words),
    )
    assert isinstance(done.exception, ConfigError)
    assert sentence in str(done.exception)
    assert not out.exists()


def test_no_command_writes_over_what_it_reads(tmp_path: Path) -> None:
    weights, small = tmp_path / "weights.safetensors", tmp_path / "small.safetensors"
    save_file(pictures().state_dict(), weights)
    clusterpress.compress(pictures(), "none").save(small)
    (tmp_path / "link").symlink_to(weights)
    compress = ("compress", weights, "--arch", PICTURES, "--method", "none", "-o")
    for words, read in (
        ((*compress, weights), weights),
        ((*compress, tmp_path / "link"), weights),
        (("decompress", small, "-o", small), small),
        (("export", small, "--arch", PICTURES, "--input", "3,8,8", "-o", small), small),
    ):
        before = read.read_bytes()
        done = run(*words)
        assert isinstance(done.exception, ConfigError)
        assert "the file that is read" in str(done.exception)
        assert read.read_bytes() == before


def test_what_is_no_state_dict_says_what_it_is(tmp_path: Path) -> None:
    clusterpress.compress(pictures(), "none").save(tmp_path / "small.safetensors")
    torch.save(pictures(), tmp_path / "whole.pt")
    for name, sentence in (("small.safetensors", "decompress"), ("whole.pt", "state_dict()")):
        out = tmp_path / "out"
        done = run("compress", tmp_path / name, "--arch", PICTURES, "--method", "none", "-o", out)
        assert isinstance(done.exception, ConfigError)
        assert sentence in str(done.exception)
        assert "\x1b" not in str(done.exception)


def test_images_train_as_an_image_set_with_its_own_normalisation() -> None:
    images, labels = images_and_labels()
    assert clusterpress.compress(pictures(), "none", (images, labels)).left_out == ()
