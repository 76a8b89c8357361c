"""The papers' ways to count a compression ratio, each a function of the ledger.

A ratio is reference bits / stored bits. Relative positions (Han et al. 2016, section 2): the
distance g >= 1 from one kept weight to the next is held as g - 1 in a field of r bits; a distance
above 2^r is cut by filler zeros, each of which spans 2^r and is an entry of the weight list.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from math import ceil, log2, nan, prod

from clusterpress.artifact.huffman import fixed_width, huffman_bits
from clusterpress.ledger import NOT_WEIGHTS, Ledger, Part, Row, kept_count

Rows = Mapping[Part, Row]


def fillers(position: Row | None, bits: int) -> int:
    """Count the filler zeros that fields of ``bits`` bits need; 0 where nothing is pruned."""
    if position is None:
        return 0
    return sum(count * ((gap - 1) >> bits) for gap, count in position.gaps)


def position_symbols(position: Row, bits: int) -> Counter[int]:
    """Count the relative-position symbols in ``[0, 2^bits)`` of kept weights and fillers."""
    symbols: Counter[int] = Counter()
    for gap, count in position.gaps:
        symbols[(gap - 1) % (1 << bits)] += count
    symbols[(1 << bits) - 1] += fillers(position, bits)
    return symbols


def han2016_bits(rows: Rows, bits: int, *, huffman: bool) -> int:
    """Count one weight tensor's bits as Han et al. 2016 do.

    Kept weights and fillers are entries. A shared tensor costs b = ceil(log2 K) bits an entry and
    a codebook of 2^b x 32 bits, any other tensor 32 bits an entry. A pruned tensor costs ``bits``
    bits of relative position an entry. With ``huffman`` the index symbols (the filler zero being
    one more) and the position symbols cost their Huffman lengths; no table is counted.

    b bits for a filler too is how the paper counts (METHODS.md's table of conventions), not what
    a decoder could read: a filler zero needs a symbol of its own, and where K = 2^b the centroids
    leave none. The count assumes that one is free, as when a centroid is zero. Fillers of a
    tensor with one centroid cost 1 bit at least, as do its kept weights: 0 bits would tell
    nothing apart. ``huffman`` counts the filler as a symbol of its own and needs neither.

    Of codes that the paper does not know (scales, blocks, hashes) every part counts as it is held:
    symbols at a fixed width, or with ``huffman`` at their Huffman lengths, floats in their dtype.
    """
    if any(row.kind for row in rows.values()):
        return sum(row.huffman_bits if huffman else row.fixed_bits for row in rows.values())
    index, position = rows.get("index"), rows.get("position")
    extra = fillers(position, bits)
    total = _position_bits(position, bits, huffman=huffman)
    if index is None or index.alphabet is None:
        return total + 32 * (rows["dense"].count + extra)
    if huffman:
        codebook = 32 * (1 << fixed_width(index.alphabet))
        return total + huffman_bits((*index.histogram, extra)) + codebook
    width = _index_width(index, extra)
    return total + width * (index.count + extra) + 32 * (1 << width)


def _index_width(index: Row, extra: int) -> int:
    """Give the bits of an index entry where ``extra`` entries are fillers."""
    return max(fixed_width(index.alphabet or 1), 1 if extra else 0)


def _position_bits(position: Row | None, bits: int, *, huffman: bool) -> int:
    if position is None:
        return 0
    symbols = position_symbols(position, bits)
    return huffman_bits(symbols.values()) if huffman else bits * symbols.total()


def _weights(ledger: Ledger) -> dict[str, Rows]:
    """Give the rows of every weight tensor: all but biases, norms and buffers."""
    return {
        name: rows
        for name, rows in ledger.tensors().items()
        if not any(part in NOT_WEIGHTS for part in rows)
    }


def _over_weights(ledger: Ledger, tensors: Mapping[str, Rows], *, huffman: bool) -> float:
    reference = 32 * sum(ledger.reference[name] for name in tensors)
    held = (han2016_bits(rows, ledger.position_bits, huffman=huffman) for rows in tensors.values())
    return _ratio(reference, sum(held))


def _ratio(reference: float, stored: float) -> float:
    return reference / stored if stored else nan


def han2016(ledger: Ledger) -> float:
    """Han et al. 2016 before Huffman coding: all weight tensors; biases left out of both sides."""
    return _over_weights(ledger, _weights(ledger), huffman=False)


def han2016_huffman(ledger: Ledger) -> float:
    """Han et al. 2016 with Huffman-coded indices and positions; biases left out of both sides."""
    return _over_weights(ledger, _weights(ledger), huffman=True)


def han2016_huffman_bytes(ledger: Ledger) -> int:
    """Give the bytes by ``han2016_huffman``, to compare with the file's weight streams."""
    tensors = _weights(ledger).values()
    return ceil(sum(han2016_bits(r, ledger.position_bits, huffman=True) for r in tensors) / 8)


def fc_only(ledger: Ledger) -> float:
    """As ``han2016``, the fully connected layers alone; nan where there are none."""
    linear = {
        name: rows
        for name, rows in _weights(ledger).items()
        if next(iter(rows.values())).layer_type == "fc"
    }
    return _over_weights(ledger, linear, huffman=False)


def weights(ledger: Ledger) -> float:
    """All weights and biases: as ``han2016``, but codebooks of K x 32 bits, and 32-bit biases."""
    tensors = _weights(ledger)
    biases = [row for row in ledger.rows if row.part == "bias"]
    names = {*tensors, *(row.tensor for row in biases)}
    stored = 32 * sum(row.count for row in biases)
    for rows in tensors.values():
        unused = _unused_centroids(rows, ledger.position_bits)
        stored += han2016_bits(rows, ledger.position_bits, huffman=False) - 32 * unused
    return _ratio(32 * sum(ledger.reference[name] for name in names), stored)


def _unused_centroids(rows: Rows, bits: int) -> int:
    """Count the centroids that ``han2016`` counts beyond those that there are."""
    index = rows.get("index")
    if index is None or index.kind:
        return 0
    return (1 << _index_width(index, fillers(rows.get("position"), bits))) - rows["codebook"].count


def son2018(ledger: Ledger) -> float:
    """Son et al. 2018: the convolutions' weights alone; FC, norms and biases are left out.

    A clustered kernel costs log2 K + log2 T bits and its 16-bit scale; a set's centroids cost as
    they are stored, 32 or 16 bits a tap; a 1x1 convolution, which is not clustered, 16 bits a
    weight (so the paper's ratios of ResNet-18 come out), any other convolution 32. nan where no
    convolution is clustered.
    """
    tensors = {
        name: rows
        for name, rows in _weights(ledger).items()
        if next(iter(rows.values())).layer_type == "conv"
    }
    if not any(row.kind == "kernels" for rows in tensors.values() for row in rows.values()):
        return nan
    stored = sum(_son2018_bits(ledger.shapes[name], rows) for name, rows in tensors.items())
    return _ratio(32 * sum(ledger.reference[name] for name in tensors), stored)


def _son2018_bits(shape: tuple[int, ...], rows: Rows) -> float:
    if "index" not in rows or rows["index"].kind != "kernels":
        return kept_count(rows, prod(shape)) * (16 if prod(shape[2:]) == 1 else 32)
    index, codebook = rows["index"], rows.get("codebook")
    symbols = [index, *(rows[part] for part in ("transform",) if part in rows)]
    bits = sum(row.count * log2(max(row.alphabet or 1, 1)) for row in symbols)
    floats = [row for row in (rows.get("scale"), codebook) if row is not None]
    return bits + sum(row.fixed_bits for row in floats)


def stock2020(ledger: Ledger) -> float:
    """Stock et al. 2020: every parameter of the model, buffers left out.

    An index costs log2 K bits a block, a codebook 16 bits a value whatever its dtype in the file;
    what is not quantised (the first convolution, norms, biases) 32 bits a parameter. ResNet-18's
    printed 29x and 43x come out of its shapes (their section 4.1: K = 256, and 2,048 for the
    linear layer).
    """
    tensors = _parameters(ledger).values()
    stored = sum(_stock2020_bits(row) for rows in tensors for row in rows.values())
    return _ratio(32 * sum(ledger.reference[name] for name in _parameters(ledger)), stored)


def _stock2020_bits(row: Row) -> float:
    if row.part == "codebook":
        return 16 * row.count
    if row.part == "index":
        return row.count * log2(max(row.alphabet or 1, 1))
    # The number of a layer's codebooks is its layout, which the paper's method has fixed.
    return 0 if _is_layout(row) else row.fixed_bits


def deep_kmeans(ledger: Ledger) -> float:
    """Wu et al. 2018 (Deep k-means): convolutions, linear layers and biases; norms are left out.

    An index costs the empirical entropy of its labels, a codebook 32 bits a value, what is not
    clustered (the linear layers of the paper) 32 bits a value.
    """
    held = {
        name: rows
        for name, rows in _parameters(ledger).items()
        if "norm" not in rows and next(iter(rows.values())).layer_type in ("conv", "fc")
    }
    stored = sum(_deep_kmeans_bits(row) for rows in held.values() for row in rows.values())
    return _ratio(32 * sum(ledger.reference[name] for name in held), stored)


def _deep_kmeans_bits(row: Row) -> float:
    if row.part in ("codebook", "dense", "bias"):
        return 32 * row.count
    return 0.0 if _is_layout(row) else row.entropy_bits


def _is_layout(row: Row) -> bool:
    return row.kind == "product" and row.part == "transform"


def held_parameters(ledger: Ledger) -> int:
    """Count the parameters held (not pruned): weights, biases, norms; buffers are not counted."""
    held = _parameters(ledger)
    return sum(kept_count(rows, prod(ledger.shapes[name])) for name, rows in held.items())


def parameters(ledger: Ledger) -> float:
    """Parameters of the baseline / parameters held (not pruned); buffers are not counted."""
    reference = sum(ledger.reference[name] for name in _parameters(ledger))
    return _ratio(reference, held_parameters(ledger))


def _parameters(ledger: Ledger) -> dict[str, Rows]:
    return {
        name: rows
        for name, rows in ledger.tensors().items()
        if not any(row.buffer for row in rows.values())
    }


def file(ledger: Ledger) -> float:
    """The baseline's state dict in fp32 / the bytes of the file, nothing left out."""
    return _ratio(ledger.reference_bytes, ledger.file_bytes)


CONVENTIONS: dict[str, Callable[[Ledger], float]] = {
    "han2016": han2016,
    "han2016_huffman": han2016_huffman,
    "weights": weights,
    "fc_only": fc_only,
    "parameters": parameters,
    "son2018": son2018,
    "stock2020": stock2020,
    "deep_kmeans": deep_kmeans,
    "file": file,
}
