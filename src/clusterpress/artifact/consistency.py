"""What must agree inside one tensor and inside one layer, seen from the directory alone."""

from collections.abc import Mapping

from clusterpress.artifact.coders import RAW
from clusterpress.artifact.content import BUFFER
from clusterpress.artifact.entries import TensorEntry
from clusterpress.codes import CODES

_DIMENSIONS = {"fc": 2, "conv": 4}


def check_tensor(name: str, entry: TensorEntry) -> None:
    """Check that a tensor has the parts of its code, in dtypes and numbers that fit.

    Raises:
        ValueError: It has not.
    """
    where = f"tensor {name!r}"
    parts = [stream.part for stream in entry.streams]
    _expect(len(set(parts)) == len(parts), f"{where} has a part twice: {parts}")
    raw = [str(stream.form) for stream in entry.streams if stream.coder == RAW]
    floats = entry.kind == BUFFER or all(form.startswith("f") for form in raw)
    _expect(floats, f"{where} learns and must hold floats, not {raw}")
    if entry.plain:
        _check_plain(name, entry)
    else:
        _check_coded(where, entry)


def _check_plain(name: str, entry: TensorEntry) -> None:
    where, count = f"tensor {name!r}", entry.elements
    one = [(stream.coder, stream.count) for stream in entry.streams] == [(RAW, count)]
    _expect(one, f"{where} is plain and must have one raw stream of {count} values")
    part = entry.streams[0].part
    right = {"norm"} if entry.kind == BUFFER else {"bias" if name.endswith("bias") else "dense"}
    if entry.layer_type == "other":
        right.add("norm")
    _expect(part in right, f"{where} is declared part {part!r} instead of {sorted(right)}")


def _check_coded(where: str, entry: TensorEntry) -> None:
    code, parts = CODES[entry.kind], entry.parts()
    missing = sorted(code.parts - parts.keys())
    beyond = sorted(parts.keys() - code.parts - code.optional_parts)
    _expect(
        not missing and not beyond,
        f"{where} is {entry.kind} and lacks parts {missing} and has parts {beyond} beyond its own",
    )
    try:
        entry.dtype()
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    index, codebook = parts.get("index"), parts.get("codebook")
    if index is not None and codebook is not None:
        _expect(
            index.form == codebook.count,
            f"alphabet of index of {where} is {index.form}, its codebook has {codebook.count}",
        )
    if index is not None and "position" not in parts:
        _expect(
            index.count == entry.elements,
            f"{where} has {index.count} symbols of index for {entry.elements} weights",
        )


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
