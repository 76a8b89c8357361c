"""Root seeds as people write them: a count, or a list."""

from collections.abc import Sequence

from clusterpress.errors import ConfigError

KEY = "seeds="
MOST = 10_000
_FORMS = "5 is the count (0,1,2,3,4), 0,1,2 are these seeds, and 3, with its comma, is the seed 3"


def seeds_of(text: str) -> list[int]:
    """Read ``5`` (that many: 0 to 4), ``0,1,2`` (these), or ``3,`` (this one).

    Raises:
        ConfigError: It is none of them; or a seed is negative or there twice.
    """
    words = [word.strip() for word in text.strip().split(",")]
    if len(words) > 1 and not words[-1]:
        words.pop()
    if not all(word.isascii() and word.isdigit() for word in words):
        raise ConfigError(f"seeds are {text!r}; they must be whole numbers from 0 on: {_FORMS}")
    numbers = [int(word) for word in words]
    if "," in text:
        double = sorted({number for number in numbers if numbers.count(number) > 1})
        if double:
            raise ConfigError(f"seeds are {text!r}; the seed {double[0]} is there twice")
        return numbers
    if not 1 <= numbers[0] <= MOST:
        raise ConfigError(
            f"seeds are {text!r}, a count, which must be from 1 to {MOST:,}: {_FORMS}"
        )
    return list(range(numbers[0]))


def with_seeds(overrides: Sequence[str], *, sweep: bool) -> list[str]:
    """Replace ``seeds=`` among the overrides by the ``seed=`` that Hydra knows.

    Args:
        overrides: What was typed.
        sweep: Whether several values may be given at all.

    Raises:
        ConfigError: ``seeds=`` is wrong, given twice or beside ``seed=``, or several without -m.
    """
    given = [line for line in overrides if line.startswith(KEY)]
    if not given:
        return list(overrides)
    if len(given) > 1 or any(line.startswith("seed=") for line in overrides):
        raise ConfigError("give seeds= or seed=, and only once: both say which seeds to run")
    numbers = seeds_of(given[0].removeprefix(KEY))
    if len(numbers) > 1 and not sweep:
        raise ConfigError(f"{given[0]} are {len(numbers)} runs; add -m to run them all")
    seed = f"seed={','.join(map(str, numbers))}"
    return [seed if line.startswith(KEY) else line for line in overrides]
