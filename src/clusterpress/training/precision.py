"""Which arithmetic a training uses on this machine."""

from functools import cache

import torch

CHOICES = ("32", "bf16", "auto")


def resolved(precision: str, accelerator: str) -> str:
    """Give ``32`` or ``bf16`` for a choice; ``auto`` is bf16 where the machine computes in it.

    A CPU without instructions for it emulates bfloat16, and is ten times as slow as in float32.

    Args:
        precision: One of ``CHOICES``.
        accelerator: ``cpu`` or ``gpu``.
    """
    if precision != "auto":
        return precision
    return "bf16" if _computes_bf16(accelerator) else "32"


@cache
def _computes_bf16(accelerator: str) -> bool:
    if accelerator == "gpu":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    # Where torch cannot tell, float32 is always right.
    return any("bf16" in name for name in instructions())


def instructions() -> tuple[str, ...]:
    """Give what the CPU can do as torch calls it, such as ``amx_bf16``, by name.

    Empty with older versions of torch, which cannot tell.
    """
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return tuple(sorted(name for name, there in capabilities.items() if there is True))
