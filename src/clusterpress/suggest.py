"""The nearest valid word to a wrong one."""

import difflib
from collections.abc import Iterable


def nearest(word: str, valid: Iterable[str]) -> str:
    """Say which valid word is nearest, as the end of an error's sentence."""
    near = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.0)
    return f"nearest is {near[0]!r}" if near else "nothing is valid here"
