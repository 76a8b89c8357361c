"""A second reader of files of version 2, in plain Python, made from docs/format.md alone."""

import hashlib
import json
import math
import struct
import zlib
from collections import defaultdict
from typing import Any

FLOATS = {"f2": (5, 3, 1), "f4": (8, 1, 113), "f8": (11, 0, 1009), "bf2": (8, 1, 113)}
FORMATS = dict(
    zip(("f2", "f4", "f8", "bf2", "i1", "i2", "i4", "i8", "u1", "b1"), "efdHbhiqB?", strict=True)
)
MOST = 1 << 22


def cut(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def stretch(i: int) -> int:
    return cut(round(256 * math.log((i + 0.5) / (4095.5 - i))), -2047, 2047)


def squash(t: int) -> int:
    return cut(round(65536 / (1 + math.exp(-t / 256))), 16, 65520)


class Counter:
    def __init__(self, share: int = 1 << 21) -> None:
        self.share, self.seen = share, 0

    def logit(self) -> int:
        return stretch(self.share >> 10)

    def direct(self) -> int:
        return cut(self.share >> 6, 16, 65520)

    def learn(self, bit: int, most: int) -> None:
        rate = 655360 // (10 * self.seen + 16)
        moved = self.share + ((((bit << 22) - self.share) * rate) >> 16)
        self.share, self.seen = cut(moved, 0, (1 << 22) - 1), min(self.seen + 1, most)


class Decoder:
    def __init__(self, data: bytes) -> None:
        self.data, self.low, self.high, self.place = data, 0, 2**32 - 1, 4
        self.code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")

    def bit(self, chance: int) -> int:
        middle = self.low + (((self.high - self.low) * chance) >> 16)
        bit = int(self.code <= middle)
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            following = self.data[self.place] if self.place < len(self.data) else 0
            self.place += 1
            self.low = (self.low << 8) % 2**32
            self.high = (self.high << 8) % 2**32 + 255
            self.code = (self.code << 8) % 2**32 + following
        return bit

    def mixed(self, counters: list[Counter], weights: list[int]) -> int:
        inputs = [counter.logit() for counter in counters]
        total = sum(w * x for w, x in zip(weights, inputs, strict=False)) >> 16
        chance = squash(cut(total, -2047, 2047))
        bit = self.bit(chance)
        error = ((bit << 16) - chance) * (8 + 16384 // (weights[4] + 20))
        for i, x in enumerate(inputs):
            weights[i] += (x * error + 2**21) >> 22
        weights[4] += 1
        return bit


def tables() -> dict[Any, Any]:
    return defaultdict(Counter)


def weight_sets() -> dict[int, list[int]]:
    return defaultdict(lambda: [18000] * 4 + [0])


class Lane:
    def __init__(self, data: bytes) -> None:
        self.coder, self.masks, self.mask_weights = Decoder(data), tables(), weight_sets()
        self.trees: dict[Any, Any] = defaultdict(lambda: (tables(), weight_sets()))

    def mask(self, place: "Layout", rows: int, fast: bool) -> list[list[int]]:
        whole, taps, channels, known = Counter(), tables(), tables(), self.masks
        mask: list[list[int]] = []
        for r in range(rows):
            row, history, kept = Counter(whole.share), 0, 0
            line: list[int] = []
            mask.append(line)
            for j in range(place.columns):
                c, t = divmod(j, place.taps)
                kept = 0 if t == 0 else kept
                of_row, of_channel = row.logit(), channels[c].logit()
                pair = known["pair", ((of_row + 2048) >> 7) * 32 + ((of_channel + 2048) >> 7)]
                if fast:
                    bit = self.coder.bit(pair.direct())
                else:
                    level = of_row + of_channel + taps[t].logit() - 2 * whole.logit()
                    level = cut(level, -2047, 2047) + 2048
                    near = [
                        history & 7,
                        8 * (mask[r - 1][j] if r > 0 else 0),
                        16 * (mask[r - 2][j] if r > 1 else 0),
                        32 * (line[j - place.taps] if j >= place.taps else 0),
                        64 * (line[j - place.line] if t >= place.line else 0),
                    ]
                    past = history & 255
                    if place.taps > 1:
                        past = 256 + min(kept, 7) * 32 + min(t, 31)
                    used = [
                        known["level", level >> 6],
                        pair,
                        known["near", sum(near) * 16 + (level >> 8)],
                        known["past", past * 16 + (level >> 8)],
                    ]
                    group = min(channels[c].seen.bit_length(), 7) + 8 * (place.taps > 1)
                    bit = self.coder.mixed(used, self.mask_weights[group])
                    for counter in (whole, taps[t], used[0], used[2], used[3]):
                        counter.learn(bit, 1023)
                row.learn(bit, 255)
                channels[c].learn(bit, 255)
                pair.learn(bit, 1023)
                line.append(bit)
                history, kept = 2 * history + bit, kept + bit
        return mask

    def symbols(
        self,
        key: Any,
        alphabet: "Alphabet",
        place: "Layout",
        kept: list[list[int]],
        fast: bool,
    ) -> list[int]:
        known, weights = self.trees[key]
        sums, found, held = defaultdict(lambda: [0, 0]), [], [0] * place.columns
        g = int(alphabet.bits > 8)
        for line in kept:
            total, count, last = 0, 0, 0
            for j, here in enumerate(line):
                c, t = divmod(j, place.taps)
                if not here:
                    held[j] = 0
                    continue
                r, q = mean(total, count), mean(*sums[c])
                single = place.taps == 1
                left = held[j - 1] if t > 0 or (single and j > 0) else 0
                back = 2 if single else place.line
                up = held[j - back] if (j > 1 if single else t >= back) else 0
                z = 16 >> g
                contexts = (
                    ("alone", 0),
                    ("mean", (r >> g) * z + (q >> g)),
                    ("near", ((left >> g) * z + (up >> g)) * 4 + ((r + q) >> 3)),
                    ("last", (last >> g) * z + (r >> g)),
                )
                s = self.tree(alphabet, contexts, known, weights, fast)
                value = s
                for _ in range(alphabet.even):
                    value = 2 * value + self.coder.bit(32768)
                found.append(value)
                last = held[j] = alphabet.level(s)
                total, count = total + alphabet.magnitude(s), count + 1
                sums[c] = [sums[c][0] + alphabet.magnitude(s), sums[c][1] + 1]
        return found

    def tree(
        self, alphabet: "Alphabet", contexts: Any, known: Any, weights: Any, fast: bool
    ) -> int:
        node, top = 1, 1 << alphabet.bits
        for depth in range(alphabet.bits):
            if ((2 * node + 1) << (alphabet.bits - 1 - depth)) - top >= alphabet.size:
                node *= 2
                continue
            used = [known[*context, node] for context in contexts]
            if fast:
                bit = self.coder.bit(used[1].direct())
                used[1].learn(bit, 255)
            else:
                bit = self.coder.mixed(used, weights[depth])
                for counter in used:
                    counter.learn(bit, 255)
            node = 2 * node + bit
        return node - top


def mean(total: int, count: int) -> int:
    return 0 if count == 0 else 1 + 15 * total // (256 * count)


class Alphabet:
    def __init__(self, form: int | str) -> None:
        self.form = form
        if isinstance(form, int):
            self.even = max(0, (form - 1).bit_length() - 12)
            self.size = ((form - 1) >> self.even) + 1
            self.bits = max(1, (self.size - 1).bit_length())
        else:
            exponent, digits, self.lowest = FLOATS.get(form, (8, -1, 0))
            self.bits = exponent + digits + 1
            self.size, self.even = 1 << self.bits, 16 - self.bits if form in FLOATS else 0
            self.shift = digits + 1

    def level(self, s: int) -> int:
        if self.form in FLOATS:
            return 1 + cut((s >> self.shift) - self.lowest, 0, 14)
        return 1 + 15 * s // self.size

    def magnitude(self, s: int) -> int:
        if self.form in FLOATS:
            return 17 * (self.level(s) - 1)
        if isinstance(self.form, str):
            return s
        return abs(2 * s - (self.size - 1)) * 255 // max(1, self.size - 1)


class Layout:
    def __init__(self, shape: list[int], stream: list[Any], parts: set[str]) -> None:
        part, _, form, count, *_ = stream
        elements = math.prod(shape)
        self.taps = self.line = 1
        self.masked = part in ("index", "dense") and "position" in parts
        if isinstance(form, str) and form not in FLOATS:
            self.rows, self.columns = count, struct.calcsize(FORMATS[form])
        elif len(shape) > 1 and (self.masked or count == elements):
            self.rows, self.columns = shape[0], math.prod(shape[1:])
            self.taps, self.line = math.prod(shape[2:]), shape[-1] if len(shape) > 2 else 1
        elif self.masked or len(shape) < 2 or count <= shape[0] or count % shape[0]:
            self.rows, self.columns = 1, elements if self.masked else count
        else:
            self.rows, self.columns = shape[0], count // shape[0]


def in_lane(stream: list[Any]) -> bool:
    return stream[1] in ("mixed", "fast")


def read_file(data: bytes) -> dict[str, dict[str, list[Any]]]:
    """Give the values of every stream by tensor and part; small tensors of one band alone."""
    assert hashlib.sha256(data[:-32]).digest() == data[-32:]
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    assert header["__metadata__"] == {"clusterpress": "2"}
    first, last = header["~body"]["data_offsets"]
    body = data[start + first : start + last]
    small, size = struct.unpack("<II", body[:8])
    text = zlib.decompress(body[8 : 8 + small], -15)
    assert len(text) == size
    directory = json.loads(text)
    tensors, place, lanes = directory["tensors"], 8 + small, []
    for length in directory["lanes"]:
        lanes.append(Lane(body[place : place + length]))
        place += length
    filled, number, found = MOST + 1, -1, {}
    for name, (_, _, shape, *streams) in tensors.items():
        parts: dict[str, list[Any]] = {}
        found[name] = parts
        elements = math.prod(shape)
        assert elements <= MOST
        if any(map(in_lane, streams)):
            fits = filled + elements <= MOST
            number, filled = (number, filled + elements) if fits else (number + 1, elements)
        own = []
        for stream in streams:
            own.append(body[place : place + own_bytes(stream)])
            place += own_bytes(stream)
        for stream, plain in zip(streams, own, strict=True):
            here = lanes[number] if in_lane(stream) else None
            parts[stream[0]] = read_stream(name, shape, stream, parts, plain, here)
    assert place == len(body)
    for lane, length in zip(lanes, directory["lanes"], strict=True):
        assert lane.coder.place - 4 <= length <= lane.coder.place
    return found


def own_bytes(stream: list[Any]) -> int:
    if not in_lane(stream):
        return int(stream[4])
    return stream[3] * {"f4": 2, "f8": 6}.get(stream[2], 0)


def read_stream(
    name: str, shape: list[int], stream: list[Any], parts: Any, own: bytes, lane: Lane | None
) -> list[Any]:
    part, coder, form, count, *_ = stream
    if lane is None:
        return read_plain(coder, form, count, own)
    place = Layout(shape, stream, set(parts))
    if part == "position":
        return [bit for row in lane.mask(place, place.rows, coder == "fast") for bit in row]
    kept = parts["position"] if place.masked else [1] * (place.rows * place.columns)
    grid = [kept[r * place.columns :][: place.columns] for r in range(place.rows)]
    alphabet = Alphabet(form)
    key = (
        (part, alphabet.bits)
        if isinstance(form, int)
        else (part, form, name.rsplit(".", maxsplit=1)[-1])
    )
    symbols = lane.symbols(key, alphabet, place, grid, coder == "fast")
    if isinstance(form, int):
        assert all(symbol < form for symbol in symbols)
        return symbols
    if form not in FLOATS:
        return list(struct.unpack(f"<{count}{FORMATS[form]}", bytes(symbols)))
    return floats(symbols, own, form, alphabet.even)


def read_plain(coder: str, form: Any, count: int, own: bytes) -> list[Any]:
    if coder == "constant":
        return [int.from_bytes(own, "little")] * count
    if coder == "packed":
        width, bits = (form - 1).bit_length(), [b >> (7 - i) & 1 for b in own for i in range(8)]
        return [sum(bits[w * count + i] << w for w in range(width)) for i in range(count)]
    assert coder == "raw"
    return list(struct.unpack(f"<{count}{FORMATS[form]}", own))


def floats(symbols: list[int], own: bytes, form: str, even: int) -> list[float]:
    low, data = len(own) // max(1, len(symbols)), b""
    for i, symbol in enumerate(symbols):
        sign = symbol >> even & 1
        top = (sign << 15) | (symbol >> (even + 1) << even) | (symbol & ((1 << even) - 1))
        data += own[i * low : (i + 1) * low] + struct.pack("<H", top)
    return list(struct.unpack(f"<{len(symbols)}{FORMATS[form]}", data))
