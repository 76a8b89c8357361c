"""JSON that says everything once."""

import json
from collections import Counter
from typing import Any


def parse(text: str | bytes) -> Any:
    """Parse JSON in which no object has a key twice.

    Two readers of one file could otherwise take different values for the same key.

    Raises:
        ValueError: It is not JSON, or a key is there twice.
    """
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    once = dict(pairs)
    if len(once) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice[:40]!r} is there twice")
    return once
