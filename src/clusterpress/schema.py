"""The typed configuration; Hydra's groups fill it, and nothing outside it is accepted."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf


@dataclass
class MethodConfig:
    """A named list of steps.

    Attributes:
        name: The method's name in tables.
        paper: The paper that it comes from, or ``control``.
        steps: Steps in order, by a name of their own; each a ``_target_`` with its knobs.
    """

    name: str = MISSING
    paper: str = "control"
    steps: dict[str, Any] = field(default_factory=dict)


@dataclass
class RecipeConfig:
    """How the baseline is trained, and the recipes that a method's steps refer to.

    Attributes:
        train: Trains the baseline.
        retrain: Whole networks whose weights changed, and those of ``li2017``.
        sparse: After pruning; ``retrain`` where a recipe says nothing else.
        finetune: After sharing; what learns is codebooks and biases.
        recover: After merging neurons, its controls, and the control ``none``.
        scratch: From new weights, for the epochs of ``train`` and ``recover`` together.
    """

    train: Any = MISSING
    retrain: Any = MISSING
    sparse: Any = "${recipe.retrain}"
    finetune: Any = MISSING
    recover: Any = MISSING
    scratch: Any = MISSING


@dataclass
class Config:
    """One point and its seed.

    Attributes:
        data: The data set, a ``_target_``.
        model: The architecture, a ``_target_``; classes and channels come from the data set.
        recipe: How networks are trained.
        method: What is done to the baseline.
        trainer: Where training runs; part of a run's identity only by its number of devices, its
            limit, and a precision other than the recipes'.
        tracker: Who else is told of a run, by names of one's own; no part of a run's identity.
        suite: The suite's point that the run was asked for as, which groups it where it is
            tracked; no part of a run's identity.
        seed: Root seed; zero is a seed.
        baseline_seed: Root seed of the baseline alone, where several seeds of a method shall
            begin from one baseline that is dear to train; None means ``seed``.
        profile: Name of the budget that the recipes were set for.
        selected: Whether the point was chosen among others, on validation data, for a headline.
        position_bits: Width of a relative position as the papers count it (5; 4 for AlexNet).
        data_dir: Folder of the data sets; None means ``CLUSTERPRESS_DATA`` or the user's cache.
        download: Whether a missing data set may be fetched.
        store: Folder of stages, artifacts and records.
    """

    data: Any = MISSING
    model: Any = MISSING
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    method: MethodConfig = field(default_factory=MethodConfig)
    trainer: Any = MISSING
    tracker: dict[str, Any] = field(default_factory=dict)
    suite: str | None = None
    seed: int = 0
    baseline_seed: int | None = None
    profile: str = "cpu"
    selected: bool = False
    position_bits: int = 5
    data_dir: str | None = None
    download: bool = True
    store: str = "${oc.env:CLUSTERPRESS_STORE,runs}"


def default_store() -> Path:
    """Give the folder of the store where no override names another."""
    return Path(OmegaConf.create({"store": Config.store}).store)


def register() -> None:
    """Tell Hydra of the schema, under the name that conf/config.yaml refers to."""
    ConfigStore.instance().store(name="schema", node=Config)
