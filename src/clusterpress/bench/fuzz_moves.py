"""How a file is damaged: as bytes, in its header, in its directory, and in its payloads."""

import json
import random
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from clusterpress.artifact.container import BODY
from clusterpress.artifact.floats import DTYPES
from clusterpress.artifact.lane_plan import LANE_CODERS
from clusterpress.artifact.tops import low_bytes
from clusterpress.bench.fuzz_parts import (
    CODER,
    CODERS,
    COUNT,
    FORM,
    SIZE,
    WORDS,
    Parts,
    fields_of,
    header_end,
    seal,
    sealed_again,
    stream_rows,
    unseal,
)

Havoc = Callable[[bytes], bytes]
_NUMBERS = (
    *(0, 1, -1, 2, 3, 4, 5, 8, 16, 255, 256, 257, 4096, 4097, 65535, 65536, 65537),
    *(1 << 22, 1 << 24, 1 << 28, 1 << 29, 1 + (1 << 29), 1 << 31, 1 << 32, 1 << 40),
    *((1 << 63) - 1, 1 << 63, 1 << 64, 10**40),
)
_VALUES: tuple[Any, ...] = (
    *(*_NUMBERS, True, False, None, "", "x" * 2000, [], {}, [[]]),
    *(0.5, 1e308, float("nan"), float("inf")),
)
_FLOATS = tuple(
    struct.pack(form, value)
    for form in ("<e", "<f", "<d")
    for value in (0.0, -0.0, float("nan"), float("inf"), -float("inf"))
)


def mutated(data: bytes, rng: random.Random, havoc: Havoc | None = None) -> bytes:
    """Damage a file.

    Args:
        data: A file, or what an earlier call made of one.
        rng: Chooses what is done.
        havoc: Damages bytes; None takes ``wild``. A fuzzer's own knows which bytes got it further.

    Returns:
        In one of ten cases plainly damaged bytes, whose digest gives them away; else bytes with a
        true digest, so that it is the checks behind it that have to find the damage.
    """
    wreck = havoc or (lambda some: wild(some, rng))
    if rng.random() < 0.1:
        return wild(data, rng) if rng.random() < 0.5 else wreck(data)
    try:
        parts = unseal(data)
    except ValueError:
        return sealed_again(wreck(data))
    if rng.random() < 0.15:
        return _in_header(data, wreck)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        parts = rng.choices(_MOVES, _WEIGHTS)[0](parts, rng, wreck)
    try:
        return seal(parts)
    except (ValueError, RecursionError):
        return _in_header(data, wreck)


def wild(data: bytes, rng: random.Random) -> bytes:
    """Flip a bit, cut the end or the middle, put bytes in, or overwrite some with known ones."""
    place = rng.randrange(len(data) + 1)
    some = rng.choice((b"\0", b"\xff", rng.randbytes(rng.randint(1, 8)), rng.choice(_FLOATS)))
    kind = rng.randrange(5)
    if kind == 0 and place < len(data):
        return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]
    if kind == 1:
        return data[:place]
    if kind == 2:
        return data[:place] + data[place + rng.randint(1, 8) :]
    if kind == 3:
        return data[:place] + some + data[place:]
    return data[:place] + some + data[place + len(some) :]


def _in_header(data: bytes, wreck: Havoc) -> bytes:
    end = min(header_end(data), len(data))
    header = wreck(data[8:end])
    return sealed_again(len(header).to_bytes(8, "little") + header + data[end:])


def _text(parts: Parts, rng: random.Random, wreck: Havoc) -> Parts:
    """Damage the directory as text: also where it is then no JSON."""
    del rng
    return replace(parts, text=wreck(parts.text.encode()).decode(errors="replace"))


def _twice(parts: Parts, rng: random.Random, wreck: Havoc) -> Parts:
    """Say a key twice, or nest what follows without end."""
    del wreck
    pieces = parts.text.split(",")
    place = rng.randrange(len(pieces))
    more = rng.choice((pieces[place], "[" * rng.choice((3, 2000)), rng.choice(pieces)))
    return replace(parts, text=",".join([*pieces[:place], more, *pieces[place:]]))


def _field(parts: Parts, rng: random.Random, wreck: Havoc) -> Parts:
    """Change one value of the directory: another number, word or kind; none; another place's."""
    del wreck
    try:
        fields = fields_of(parts)
    except ValueError:
        return parts
    holders = list(_holders(fields))
    holder = rng.choice(holders)
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    if keys:
        _change(holder, rng.choice(keys), rng.choice(holders), rng)
    return replace(parts, text=json.dumps(fields, separators=(",", ":"), ensure_ascii=False))


def _holders(value: Any) -> list[Any]:
    """List the objects and lists of a JSON value, itself first."""
    if not isinstance(value, dict | list):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(holder for each in inner for holder in _holders(each))]


def _change(holder: Any, key: Any, other: Any, rng: random.Random) -> None:
    value, kind = holder[key], rng.randrange(8)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), value)
    elif kind == 2 and isinstance(holder, dict):
        holder[rng.choice(WORDS)] = holder.pop(key)
    elif kind == 3:
        swap = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        holder[key], holder[swap] = holder[swap], value
    elif kind == 4:
        # By its text: a value that held itself would have no end.
        holder[key] = json.loads(json.dumps(other))
    else:
        holder[key] = _another(value, rng)


def _another(value: Any, rng: random.Random) -> Any:
    if isinstance(value, str) and rng.random() < 0.8:
        return rng.choice(WORDS)
    if type(value) is int and rng.random() < 0.6:
        return rng.choice((value - 1, value + 1, 2 * value, value // 2, -value))
    return rng.choice(_VALUES)


def _payload(parts: Parts, rng: random.Random, wreck: Havoc) -> Parts:
    """Damage a tensor's bytes, mostly at their length; or drop, rename or swap tensors."""
    names = sorted(parts.payloads)  # The container has no order of its own.
    if not names:
        return replace(parts, payloads={rng.choice(WORDS): rng.randbytes(4)})
    name, other = rng.choice(names), rng.choice(names)
    payloads, kind = dict(parts.payloads), rng.randrange(10)
    if kind == 0:
        payloads[rng.choice(WORDS)] = payloads.pop(name)
    elif kind == 1:
        payloads[name], payloads[other] = payloads[other], payloads[name]
    elif kind == 2:
        payloads[name] = wreck(payloads[name])
    else:
        payloads[name] = _fitted(wreck(payloads[name]), len(payloads[name]), rng)
    return replace(parts, payloads=payloads)


def _recoded(parts: Parts, rng: random.Random, wreck: Havoc) -> Parts:
    """Give a stream other bytes, perhaps another coder or count, and state their number truly."""
    try:
        fields = fields_of(parts)
        tensors = dict(stream_rows(replace(parts, text=json.dumps(fields))))
    except ValueError:
        return parts
    name = rng.choice(sorted(tensors) or [None])
    if name is None or BODY not in parts.payloads:
        return parts
    row = rng.choice(tensors[name])
    body, own = parts.payloads[BODY], [one for rows in tensors.values() for one in rows]
    begin = len(body) - sum(map(own_bytes, own))
    start = begin + sum(map(own_bytes, own[: [one is row for one in own].index(True)]))
    end = start + own_bytes(row)
    if not 0 <= begin <= start <= end <= len(body):
        return parts
    data = wreck(body[start:end]) if rng.random() < 0.7 else rng.randbytes(rng.randint(0, 40))
    if rng.random() < 0.4:
        row[CODER] = rng.choice(CODERS)
    if rng.random() < 0.2:
        row[COUNT] = rng.choice(_NUMBERS)
    row[SIZE:] = [len(data)] if len(row) > SIZE or row[CODER] not in LANE_CODERS else []
    fields["tensors"][name][-len(tensors[name]) :] = tensors[name]
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    return Parts(text, {BODY: body[:start] + data * (len(row) > SIZE) + body[end:]})


def own_bytes(row: list[Any]) -> int:
    """Give the bytes of its own that a stream's row states or, in a lane, has beside it."""
    if len(row) > SIZE:
        return row[SIZE] if type(row[SIZE]) is int and row[SIZE] > 0 else 0
    lies = type(row[COUNT]) is not int or row[COUNT] < 0
    return 0 if lies or row[FORM] not in DTYPES else low_bytes(row[COUNT], row[FORM])


def _fitted(data: bytes, length: int, rng: random.Random) -> bytes:
    return data[:length] + rng.randbytes(max(0, length - len(data)))


_MOVES = (_text, _twice, _field, _payload, _recoded)
_WEIGHTS = (3, 1, 6, 5, 5)
