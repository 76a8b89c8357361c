"""Compress a network of one's own: what experiments do, without configs, store and records."""

from clusterpress.library.compressed import Compressed
from clusterpress.library.compressing import compress
from clusterpress.library.dense import decompress
from clusterpress.library.exporting import export

__all__ = ["Compressed", "compress", "decompress", "export"]
