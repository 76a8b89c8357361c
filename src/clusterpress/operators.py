"""Declare the two operator schemas that torchvision expects, where its own library does not load.

The package index's torchvision is built for CUDA. Beside a CPU-only torch its compiled library
does not load, and ``import torchvision`` fails on the missing operators ``torchvision::nms`` and
``torchvision::qnms``. Their schemas alone are enough for data sets, models and transforms. They
must exist before anything imports torchvision, torchmetrics or pytorch_lightning, so the package
imports this module first.
"""

from importlib import util
from pathlib import Path

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def compiled_library_loads() -> bool:
    """Whether torchvision's compiled library loads beside this torch, or is not there at all."""
    spec = util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    for path in Path(spec.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(str(path))
        except OSError:
            return False
    return True


def declare_missing() -> torch.library.Library | None:
    """Declare the schemas where they are missing; the result must outlive their use."""
    if compiled_library_loads():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    return library


KEPT = declare_missing()
