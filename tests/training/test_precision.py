import pytest
import torch

from clusterpress.training.precision import _computes_bf16, resolved


@pytest.fixture(autouse=True)
def _forget() -> None:
    _computes_bf16.cache_clear()


@pytest.mark.parametrize("choice", ["32", "bf16"])
def test_what_is_chosen_stays(choice: str) -> None:
    assert resolved(choice, "cpu") == resolved(choice, "gpu") == choice


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": False, "amx_bf16": False, "avx2": True}, "32"),
        ({"avx512_bf16": True, "amx_bf16": False}, "bf16"),
        ({}, "32"),
    ],
)
def test_auto_asks_the_cpu(
    capabilities: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert resolved("auto", "cpu") == expected
    _computes_bf16.cache_clear()


def test_without_a_gpu_auto_is_float32_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolved("auto", "gpu") == "32"
    _computes_bf16.cache_clear()
