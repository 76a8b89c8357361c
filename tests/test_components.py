"""A component is one Python file, one YAML and one test: none of the three may be missing."""

from pathlib import Path

import pytest
import yaml

from clusterpress import steps
from clusterpress.models import MODELS
from clusterpress.places import folder

TESTS = Path(__file__).parent
CONF = folder("conf")
CONTRACTS = {"Checked", "Context", "Step"}


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


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_has_a_config_and_recipes(name):
    assert (CONF / "model" / f"{name}.yaml").is_file()
    for data in (CONF / "data").glob("*.yaml"):
        assert (CONF / "recipe" / f"{data.stem}_{name}.yaml").is_file()


@pytest.mark.parametrize("path", sorted((CONF / "data").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_data_set_is_known_by_the_name_of_its_config(path):
    from clusterpress.runs.components import build

    assert build(yaml.safe_load(path.read_text()), "data").name == path.stem
