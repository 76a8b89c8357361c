"""Independent seeds of one root seed, one for each axis of randomness."""

import hashlib
from typing import Literal

Axis = Literal["initialisation", "data", "clustering"]


def derive(seed: int, axis: Axis, *place: int) -> int:
    """Give the seed of an axis, in [0, 2**63).

    Args:
        seed: The root seed; zero is a seed.
        axis: What is random.
        place: Where on the axis: stage, then call within the stage.
    """
    text = "/".join([str(seed), axis, *map(str, place)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
