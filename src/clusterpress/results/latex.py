"""Tables for papers: LaTeX with booktabs, and CSV."""

import csv
import io
import re

from clusterpress.results.layout import COMMAND, Table

LONG = 36
"""Characters of a cell from which on its column is a paragraph."""

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "–": "--",
}
_CODE = re.compile(r"`([^`]*)`")
_MINUS = re.compile(r"(?<![\w-])-(?=\d)")
_NUMBER = re.compile(r"^(–|[<≥≤]? ?[+-]?\d[\d.,]*( ?[x%])?( ± [\d.]+)?)$")


def latex_table(title: str, table: Table) -> str:
    """Give a table as a ``tabular`` of booktabs, to be read by a paper."""
    head = " & ".join(escaped(name) for name in table.columns)
    body = [" & ".join(escaped(row[name]) for name in table.columns) for row in table.rows]
    alignment = "".join(_alignment(name, table) for name in table.columns)
    lines = [
        f"% {' '.join(title.split())}",
        f"% Generated from results/records.csv by: {COMMAND}",
        r"% Needs \usepackage{booktabs}.",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
        *(rf"{_begun(cells)} \\" for cells in body),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def csv_table(table: Table) -> str:
    """Give a table's cells as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([row[name] for name in table.columns] for row in table.rows)
    return text.getvalue()


def escaped(text: str) -> str:
    """Give text so that LaTeX prints it as it is; `code` becomes typewriter."""
    pieces = _CODE.split(" ".join(text.split()))
    return "".join(
        rf"\texttt{{{_plain(piece)}}}" if number % 2 else _MINUS.sub("$-$", _plain(piece))
        for number, piece in enumerate(pieces)
    )


def _begun(cells: str) -> str:
    r"""Shield a row that begins as an argument of the ``\\`` above it would."""
    return "{}" + cells if cells.startswith(("[", "*")) else cells


def _plain(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def _alignment(name: str, table: Table) -> str:
    cells = [row[name] for row in table.rows]
    if all(_NUMBER.match(cell) for cell in cells):
        return "r"
    return "p{5cm}" if max(map(len, cells), default=0) > LONG else "l"
