"""The page that is made of the inference benchmark's tables."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from itertools import groupby

from clusterpress.bench.inference_networks import NetworkRow
from clusterpress.bench.inference_rows import LayerRow

_TARGETS = {4: 7.4, 16: 4.6}  # By K: a prototype in C, 256 channels at 8x8, batch 1.


def page(rows: Sequence[LayerRow], networks: Sequence[NetworkRow]) -> str:
    """Give the page: whole networks, then for every layer and K the best dense and shared times."""
    parts = (_opening(rows), _networks(networks), _verdicts(rows), _heading(), _lines(rows))
    return "\n".join([line for part in parts for line in part] + [""])


def _opening(rows: Sequence[LayerRow]) -> Iterator[str]:
    yield "# Convolutions with shared kernels against dense ones"
    yield ""
    yield (
        f"`make bench-inference` on {rows[0].machine}, {rows[0].threads} threads, float32: the "
        "least of interleaved runs, which other work on the machine disturbs least."
    )
    yield ""


def _networks(networks: Sequence[NetworkRow]) -> Iterator[str]:
    if not networks:
        return
    yield "## Whole networks, batch 1, 32x32 images"
    yield ""
    yield (
        f"With {networks[0].versions}. Kernels are clustered by `ClusterKernels`, one set a "
        "network, from initialised weights and with few iterations. MACs and latency depend on "
        "which kernels an input needs, so on the weights: trained networks have other MACs "
        "(`shared_macs` of the records); *trained* ones are read from a run's file by "
        "`python -m clusterpress.bench.inference --file FILE`. Dense is the fastest of torch "
        "eager, channels-last and BatchNorm fused by fx."
    )
    yield ""
    yield "| network | kernels | MACs | shared MACs | dense ms | shared ms | speed | forms |"
    yield f"|{'---|' * 8}"
    for row in networks:
        macs = f"{row.macs / 1e6:.0f} M | {row.shared_macs / 1e6:.0f} M"
        times = f"{row.dense * 1e3:.2f} | {row.seconds * 1e3:.2f} | {row.dense / row.seconds:.2f}x"
        yield f"| {row.network} | {row.kernels} | {macs} | {times} | {row.forms} |"
    yield ""


def _verdicts(rows: Sequence[LayerRow]) -> Iterator[str]:
    """Compare with the prototype, where its layer was measured."""
    for group in _cases(rows):
        row = group[0]
        target = _TARGETS.get(row.kernels)
        if (row.inputs, row.outputs, row.side, row.batch) != (256, 256, 8, 1) or not target:
            continue
        dense, best = _fastest(group)
        speed, work = dense.seconds / best.seconds, 2e-9 * dense.macs / dense.seconds
        done = 2e-9 * (best.macs + row.inputs * row.outputs * row.side**2) / best.seconds
        yield (
            f"256 channels at 8x8, K = {row.kernels}, batch 1: {speed:.2f}x, target {target}x, "
            f"**{'reached' if speed >= target else 'missed'}**. Dense does {work:.0f} GFLOP/s, the "
            f"shared form {done:.0f}; equally fast, the speed would be {row.bound:.2f}x."
        )
        yield ""


def _heading() -> Iterator[str]:
    yield "## Layers"
    yield ""
    yield (
        "Speed is the faster dense form over the faster shared form; the bound 9 / (1 + 9 K / O) "
        "counts a multiplication and an addition as one, and nothing saved by flips. K is the "
        "number of distinct kernels; 32 x 8 are 32 with all flips and rotations (C32-TIC8)."
    )
    yield ""
    yield "| layer | batch | K | dense us | shared us | form | speed | bound | fewer MACs |"
    yield f"|{'---|' * 9}"


def _lines(rows: Sequence[LayerRow]) -> Iterator[str]:
    for group in _cases(rows):
        dense, best = _fastest(group)
        layer = f"{best.inputs} to {best.outputs} at {best.side}x{best.side}"
        times = f"{dense.seconds * 1e6:.0f} | {best.seconds * 1e6:.0f} | {best.method}"
        gains = f"{dense.seconds / best.seconds:.2f}x | {best.bound:.2f}x"
        fewer = dense.macs / min(r.macs for r in group if not r.method.startswith("dense"))
        turned = f"{best.kernels // best.transforms} x {best.transforms}"
        kernels = turned if best.transforms > 1 else f"{best.kernels}"
        yield f"| {layer} | {best.batch} | {kernels} | {times} | {gains} | {fewer:.2f}x |"


def _cases(rows: Sequence[LayerRow]) -> Iterator[list[LayerRow]]:
    for _, same in groupby(rows, lambda row: astuple(row)[:8]):
        yield list(same)


def _fastest(group: Sequence[LayerRow]) -> tuple[LayerRow, LayerRow]:
    """Give the fastest dense and the fastest shared form."""
    dense = [row for row in group if row.method.startswith("dense")]
    shared = [row for row in group if not row.method.startswith("dense")]
    return min(dense, key=lambda r: r.seconds), min(shared, key=lambda r: r.seconds)
