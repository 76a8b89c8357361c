"""An artifact's ledger as a table for people."""

from pathlib import Path

from rich.table import Table

from clusterpress import artifact


def inspection_table(path: Path) -> Table:
    """List every part of every tensor in an artifact.

    Raises:
        ArtifactError: The file is damaged.
    """
    ledger = artifact.read(path).ledger
    table = Table(title=f"{path}: {ledger.file_bytes:,} bytes, header {ledger.header_bytes:,}")
    for heading in (
        "tensor",
        "part",
        "values",
        "fixed-width bits",
        "entropy bits",
        "Huffman bits",
        "stored bytes",
    ):
        table.add_column(heading, justify="left" if heading in ("tensor", "part") else "right")
    for row in ledger.rows:
        table.add_row(
            row.tensor,
            row.part,
            f"{row.count:,}",
            f"{row.fixed_bits:,}",
            f"{row.entropy_bits:,.0f}",
            f"{row.huffman_bits:,}",
            f"{row.stored_bytes:,}",
        )
    return table
