"""Read YAML as fast as this installation can."""

from typing import Any

import yaml

# libyaml's loader builds the same values ten times as fast; some builds of PyYAML lack it.
_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """Give the plain values of a YAML text.

    Raises:
        yaml.YAMLError: It is no YAML.
    """
    return yaml.load(text, Loader=_SAFE)
