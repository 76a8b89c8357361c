"""The codebooks of shared kernels that a file holds."""

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clusterpress.artifact.content import TensorContent
from clusterpress.artifact.limits import check_alone
from clusterpress.artifact.opening import opened, refusal
from clusterpress.codes import Kernels


@dataclass(frozen=True)
class KernelBook:
    """The centroids that the kernels of some layers share.

    Attributes:
        centroids: As stored, float32, shape (K, h, w).
        uses: How many kernels are a copy of each, int64, shape (K,).
        layers: Names of the layers.
    """

    centroids: npt.NDArray[np.float32]
    uses: npt.NDArray[np.int64]
    layers: tuple[str, ...]


def read_kernels(path: str | os.PathLike[str]) -> list[KernelBook]:
    """Read the codebooks of shared kernels, without building a network; none where there is none.

    Raises:
        ArtifactError: As ``read``.
    """
    file = opened(path)
    books: dict[str, KernelBook] = {}
    try:
        check_alone(file.directory.elements(), file.size, "it")
        for content in file.contents():
            if content.kind == Kernels.kind:
                owner = content.codebook_of or content.name
                books[owner] = _with_uses(books.get(owner), content)
    except ValueError as error:
        raise refusal(path, "read", error) from error
    return list(books.values())


def _with_uses(book: KernelBook | None, content: TensorContent) -> KernelBook:
    """Add one tensor's uses to its set's codebook, which the first of the set brings along."""
    values = {stream.part: stream.values for stream in content.streams}
    if book is None:
        centroids = values["codebook"].astype(np.float32).reshape(-1, *content.shape[2:])
        book = KernelBook(centroids, np.zeros(len(centroids), np.int64), ())
    index = values["index"].ravel()
    if "scale" in values:
        index = index[values["scale"] != 0]  # Pruned kernels have an index too.
    uses = np.bincount(index, minlength=len(book.centroids))
    layer = content.name.rpartition(".")[0]
    return KernelBook(book.centroids, book.uses + uses, (*book.layers, layer))
