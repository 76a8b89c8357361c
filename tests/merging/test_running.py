"""A network that does not run at its new widths is refused, however its forward says so."""

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import require_runs
from clusterpress.steps import Context, MergeNeurons

from .wired import Wired

ROWS = torch.randn(2, 5)


def checks(x: torch.Tensor) -> torch.Tensor:
    if x.shape[1] != 4:
        raise AssertionError  # what a bare assert is where pytest does not rewrite it
    return x


def refuses(x: torch.Tensor) -> torch.Tensor:
    if x.shape[1] != 4:
        raise ValueError("four are needed")
    return x


STRICT = {
    "a view": (lambda x: x.view(-1, 2, 4).flatten(0, 1)[: len(x)], "RuntimeError"),
    "a bare assert": (checks, r"AssertionError\)"),
    "another error": (refuses, r"ValueError: four are needed\)"),
}


@pytest.mark.parametrize("case", STRICT)
def test_whichever_error_a_forward_raises_is_said_as_ours(case: str):
    wants, message = STRICT[case]
    network = Wired(lambda m, x: m.b(wants(m.a(x))), a=nn.Linear(5, 3), b=nn.Linear(4, 2)).train()
    with pytest.raises(ConfigError, match=rf"does not run at its new widths \({message}"):
        require_runs(network, ROWS)
    assert network.training


def test_merging_a_network_that_names_its_widths_is_refused():
    network = Wired(lambda m, x: m.b(refuses(m.a(x))), a=nn.Linear(5, 4), b=nn.Linear(4, 2))
    context = Context(train=lambda network, recipe: None, example=ROWS, clustering=0)
    with pytest.raises(ConfigError, match="ValueError: four are needed"):
        MergeNeurons(keep=0.5).apply(network, context)
