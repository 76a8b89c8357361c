"""The state of a seeding on panels: distances to the nearest seed, read once for every seed."""

import numpy as np
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.threads import cut, on_threads
from clusterpress.clustering.vector.kernels import Reals, fold_panel, squares_of_panel, table_of
from clusterpress.clustering.vector.writer import TILE

_CHUNK = 2**12  # Vectors whose potentials are kept as one sum.
_CHUNKS = 4  # Chunks whose pass is worth a thread.
_PIECES = 32


class PanelField:
    """Distances of vectors in panels to the nearest seed.

    A chosen seed is only noted: the next pass over the vectors, which measures the next
    candidates, takes it along. Until then, the potentials of the chunks of 4,096 vectors tell
    where a draw falls, and only these chunks are brought up to date.
    """

    def __init__(self, panels: Reals, weights: Floats) -> None:
        count, columns, width = panels.shape
        self._panels = panels
        self._size = len(weights)
        self._step = _CHUNK // width
        padded = np.zeros((-(-count // self._step), _CHUNK))
        padded.reshape(-1)[: self._size] = weights
        self._mass = padded.sum(axis=1)  # Of every chunk.
        self._state = np.ones((count, 2, width), panels.dtype)  # Squared distances and weights.
        self._state[:, 1] = padded.reshape(-1, width)[:count]
        self._seed = np.empty((0, columns))
        self._candidates = np.empty((0, 0, columns))
        self._remaining = np.empty((len(padded), 0))  # Of every chunk after every candidate.

    def draw(self, uniforms: Floats) -> Ints:
        """Draw places of vectors; see ``Field``."""
        cumulative = np.cumsum(self._mass)
        targets = uniforms * cumulative[-1]
        chunks = np.searchsorted(cumulative, targets, side="right").clip(max=cumulative.size - 1)
        rests = targets - (cumulative - self._mass)[chunks]
        return np.array([self._place(*where) for where in zip(chunks, rests, strict=True)])

    def _place(self, chunk: int, rest: float) -> int:
        part = slice(chunk * self._step, (chunk + 1) * self._step)
        self._measure(part, np.empty((0, *self._seed.shape)))
        masses = self._state[part].prod(axis=1).astype(np.float64)
        place = chunk * _CHUNK + np.searchsorted(masses.cumsum(), rest, side="right")
        return min(int(place), (chunk + 1) * _CHUNK - 1, self._size - 1)

    def potentials(self, candidates: Floats) -> Floats:
        """Measure candidates; see ``Field``."""
        if not self._seed.size:
            self._state[:, 0] = np.inf
        parts = cut(len(self._mass), _CHUNKS, _PIECES)
        pieces = on_threads(
            lambda i: self._measure(self._panels_of(parts[i]), candidates), len(parts)
        )
        self._candidates, self._remaining = candidates, np.concatenate(pieces)
        total: Floats = self._remaining.sum(axis=0)
        return total

    def take(self, choice: int) -> None:
        """Note a seed; see ``Field``."""
        self._seed = self._candidates[choice]
        self._mass = self._remaining[:, choice]

    def _panels_of(self, chunks: slice) -> slice:
        return slice(chunks.start * self._step, chunks.stop * self._step)

    def _measure(self, part: slice, candidates: Floats) -> Floats:
        """Take the noted seed along, and give what every candidate leaves of every chunk."""
        vectors = np.concatenate((self._seed, candidates.reshape(-1, self._seed.shape[1])))
        table, _ = table_of(vectors, self._panels.dtype)
        panels, state = self._panels[part], self._state[part]
        remaining = np.zeros((-(-len(panels) // self._step), len(candidates)))
        _measure(panels, table, len(self._seed), candidates.shape[1], state, remaining)
        return remaining


@njit(cache=True, nogil=True)
def _measure(
    panels: Reals, table: Reals, seeds: int, orbit: int, state: Reals, remaining: Floats
) -> None:
    """Read every vector once; the first rows of the table are the transforms of the last seed."""
    width = panels.shape[2]
    step = _CHUNK // width
    squares = np.empty((TILE * len(table), width), panels.dtype)
    sums = np.zeros((remaining.shape[1], width))
    for i in range(len(panels)):
        squares_of_panel(panels[i], table, squares)
        fold_panel(squares, seeds, orbit, state[i], sums)
        if (i + 1) % step == 0 or i + 1 == len(panels):
            for c in range(len(sums)):
                remaining[i // step, c] = sums[c].sum()
            sums[:] = 0.0
