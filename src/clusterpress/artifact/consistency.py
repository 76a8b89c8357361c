"""What must agree inside one tensor and inside one layer, seen from the directory alone."""

from collections.abc import Mapping

from clusterpress.artifact.content import BUFFER
from clusterpress.artifact.entries import TensorEntry
from clusterpress.artifact.floats import is_float
from clusterpress.codes import CODES

_DIMENSIONS = {"fc": 2, "conv": 4}
CASTS = ("f2", "f8", "bf2")


def check_tensor(name: str, entry: TensorEntry, shares: bool = False) -> None:
    """Check that a tensor has the parts of its code, in dtypes and numbers that fit.

    Args:
        name: The tensor.
        entry: What the directory says of it.
        shares: Whether its codebook is another tensor's.

    Raises:
        ValueError: It has not.
    """
    where = f"tensor {name!r}"
    parts = [stream.part for stream in entry.streams]
    _expect(len(set(parts)) == len(parts), f"{where} has a part twice: {parts}")
    raw = [stream.form for stream in entry.streams if isinstance(stream.form, str)]
    floats = entry.kind == BUFFER or all(map(is_float, raw))
    _expect(floats, f"{where} learns and must hold floats, not {raw}")
    if entry.plain:
        _expect(not shares, f"{where} is plain and shares no codebook")
        _check_plain(name, entry)
    else:
        _check_coded(where, entry, shares)


def _check_plain(name: str, entry: TensorEntry) -> None:
    where, count = f"tensor {name!r}", entry.elements
    floats = [isinstance(stream.form, str) and stream.count == count for stream in entry.streams]
    _expect(floats == [True], f"{where} is plain and must have one raw stream of {count} values")
    part = entry.streams[0].part
    right = {"norm"} if entry.kind == BUFFER else {"bias" if name.endswith("bias") else "dense"}
    if entry.layer_type == "other":
        right.add("norm")
    _expect(part in right, f"{where} is declared part {part!r} instead of {sorted(right)}")


def _check_coded(where: str, entry: TensorEntry, shares: bool) -> None:
    code, parts = CODES[entry.kind], entry.parts()
    _expect(code.shares_codebook or not shares, f"{where} is {entry.kind} and shares no codebook")
    needed = code.parts - {"codebook"} if shares else code.parts
    missing = sorted(needed - parts.keys())
    beyond = sorted(parts.keys() - needed - code.optional_parts)
    _expect(
        not missing and not beyond,
        f"{where} is {entry.kind} and lacks parts {missing} and has parts {beyond} beyond its own",
    )
    try:
        entry.dtype()
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    _check_sizes(where, entry)


def check_tied(tied: Mapping[str, object], tensors: Mapping[str, TensorEntry]) -> None:
    """Check that every tied tensor is another name of a plain one.

    Raises:
        ValueError: It is not.
    """
    for name, holder in tied.items():
        _expect(
            name not in tensors, f"tensor {name!r} is tied to another, and has parts of its own"
        )
        known = isinstance(holder, str) and holder in tensors and tensors[holder].plain
        _expect(known, f"tensor {name!r} is tied to {holder!r}, which is no plain tensor")


def check_casts(casts: Mapping[str, object], tensors: Mapping[str, TensorEntry]) -> None:
    """Check that every cast is that of a coded tensor to another dtype of floats.

    Raises:
        ValueError: It is not.
    """
    for name, dtype in casts.items():
        _expect(dtype in CASTS, f"tensor {name!r} is cast to {dtype!r}, which is none of {CASTS}")
        coded = name in tensors and not tensors[name].plain
        _expect(coded, f"tensor {name!r} is cast, but there is no code of that name")


def check_shared(shared: Mapping[str, object], tensors: Mapping[str, TensorEntry]) -> None:
    """Check that every shared codebook is that of a tensor before, and fits.

    Raises:
        ValueError: It is not, or does not.
    """
    order = {name: place for place, name in enumerate(tensors)}
    for name, holder in shared.items():
        where = f"the codebook of tensor {name!r}"
        _expect(name in tensors, f"{where} is shared, but there is no such tensor")
        known = isinstance(holder, str) and holder in tensors and holder not in shared
        _expect(known, f"{where} is said to be that of {holder!r}, which holds none")
        entry, first = tensors[name], tensors[str(holder)]
        _expect(order[str(holder)] < order[name], f"{where} comes after it, in {holder!r}")
        _expect(entry.kind == first.kind, f"{where} is that of a {first.kind} tensor, {holder!r}")
        same = entry.shape[2:] == first.shape[2:]
        _expect(same, f"{where} is that of {holder!r}, whose kernels have another size")
        _check_sizes(where, entry, first.parts()["codebook"].count)


def _check_sizes(where: str, entry: TensorEntry, codebook: int | None = None) -> None:
    """Check the streams' sizes against one another; the codebook's may be another tensor's."""
    parts = entry.parts()
    counts: dict[str, int] = {part: stream.count for part, stream in parts.items()}
    alphabets: dict[str, int] = {
        part: stream.form for part, stream in parts.items() if isinstance(stream.form, int)
    }
    if codebook is not None:
        counts["codebook"] = codebook
    try:
        CODES[entry.kind].check_sizes(entry.shape, counts, alphabets)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def check_layers(tensors: Mapping[str, TensorEntry]) -> None:
    """Check that the weight and the bias of each linear and convolution layer fit each other.

    Raises:
        ValueError: They differ in layer type, outputs or dtype.
    """
    for name, entry in tensors.items():
        dimensions = _DIMENSIONS.get(entry.layer_type)
        if dimensions is None or name.rpartition(".")[2] != "weight":
            continue
        _expect(
            len(entry.shape) == dimensions,
            f"tensor {name!r} of shape {entry.shape} is no weight of a layer {entry.layer_type!r}",
        )
        bias = name.removesuffix("weight") + "bias"
        if bias in tensors:
            _check_bias(bias, tensors[bias], entry)


def _check_bias(name: str, bias: TensorEntry, weight: TensorEntry) -> None:
    _expect(
        (bias.layer_type, bias.shape) == (weight.layer_type, weight.shape[:1]),
        f"tensor {name!r} ({bias.layer_type}, shape {bias.shape}) does not fit its layer's weight "
        f"({weight.layer_type}, shape {weight.shape})",
    )
    _expect(
        bias.dtype() == weight.dtype(),
        f"tensor {name!r} of dtype {bias.dtype()!r} stands beside a weight of dtype "
        f"{weight.dtype()!r}",
    )


def _expect(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
