"""A component is one Python file, one YAML and one test: none of the three may be missing."""

from pathlib import Path

import pytest
import yaml

from clusterpress import steps
from clusterpress.models import MODELS
from clusterpress.places import folder
from clusterpress.runs.components import target_of

TESTS = Path(__file__).parent
CONF = folder("conf")
CONTRACTS = {"Checked", "Context", "NarrowsLayers", "Step"}


def targets(node) -> set[str]:
    if isinstance(node, dict):
        own = {node["_target_"]} if "_target_" in node else set()
        return own.union(*map(targets, node.values()))
    return set()


def used(group: str) -> set[str]:
    return set().union(
        *(targets(yaml.safe_load(path.read_text())) for path in (CONF / group).glob("*.yaml"))
    )


@pytest.mark.parametrize("name", sorted(set(steps.__all__) - CONTRACTS))
def test_every_step_has_a_config_and_a_test(name):
    module = getattr(steps, name).__module__.rsplit(".", 1)[1]
    assert f"clusterpress.steps.{name}" in used("method")
    assert (TESTS / "steps" / f"test_{module}.py").is_file()


def fitting_data(model: str) -> set[str]:
    """Name the data sets whose images have the size that a model is made for."""
    size = MODELS[model].image_size
    nodes = {path.stem: yaml.safe_load(path.read_text()) for path in (CONF / "data").glob("*.yaml")}
    return {name for name, node in nodes.items() if target_of(node).shape[1:] == size}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_has_a_config_and_a_recipe_for_the_data_that_it_fits(name):
    node = yaml.safe_load((CONF / "model" / f"{name}.yaml").read_text())
    assert target_of(node) is MODELS[name]
    every = [path.stem for path in (CONF / "data").glob("*.yaml")]
    recipes = {data for data in every if (CONF / "recipe" / f"{data}_{name}.yaml").is_file()}
    assert recipes == fitting_data(name) != set()


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("data", ["cifar10", "cifar100"])
def test_every_model_for_cifar_has_the_papers_schedule(name, data):
    file = CONF / "recipe" / "paper" / f"{data}_{name}.yaml"
    assert file.is_file() == (data in fitting_data(name))


@pytest.mark.parametrize("path", sorted((CONF / "data").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_data_set_is_known_by_the_name_of_its_config(path):
    from clusterpress.runs.components import build

    assert build(yaml.safe_load(path.read_text()), "data").name == path.stem
