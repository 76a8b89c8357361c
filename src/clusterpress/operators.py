"""Declare the two operator schemas that torchvision expects, where its own library does not load.

The package index's torchvision is built for CUDA. Beside a CPU-only torch its compiled library
does not load, and ``import torchvision`` fails on the missing operators ``torchvision::nms`` and
``torchvision::qnms``. Their schemas alone are enough for data sets, models and transforms. They
must exist before anything imports torchvision, torchmetrics or pytorch_lightning (which import
torchvision), so the package has ``declare_in_time`` watch for that import. Nothing is declared
sooner: what only reads records shall not wait seconds for torch.
"""

import sys
from collections.abc import Sequence
from importlib import util
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def compiled_library_loads() -> bool:
    """Whether torchvision's compiled library loads beside this torch, or is not there at all."""
    import torch

    spec = util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    for path in Path(spec.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(str(path))
        except OSError:
            return False
    return True


def declare_missing() -> Any:
    """Declare the schemas where they are missing; the result must outlive their use."""
    import torch

    if compiled_library_loads():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    return library


class BeforeTorchvision(MetaPathFinder):
    """Finds no module; the first time that torchvision is looked for, it declares the schemas."""

    kept: Any = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give None, so that the next finder is asked."""
        del path, target
        if fullname == "torchvision" and self in sys.meta_path:
            sys.meta_path.remove(self)
            BeforeTorchvision.kept = declare_missing()
        return None


def declare_in_time() -> None:
    """See to it that the schemas are there when torchvision is imported."""
    if "torchvision" not in sys.modules:
        sys.meta_path.insert(0, BeforeTorchvision())
