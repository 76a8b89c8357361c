import re

import pytest

from clusterpress.results.latex import csv_table, escaped, latex_table
from clusterpress.results.layout import page, section, table, tables

SPECIAL = re.compile(r"(?<!\\)[%#$&_{}~^]")


@pytest.mark.parametrize("letter", list("%#&_$~^{}\\<>|"))
def test_no_special_letter_stays_alone(letter):
    text = escaped(f"a{letter}b")
    assert text != f"a{letter}b"
    bare = re.sub(r"\\text[a-z]+\{\}|\$\\[a-z]+\$", "", text)
    assert not SPECIAL.search(bare)


def test_words_numbers_and_code():
    assert escaped("-0.05 ± 0.07") == r"$-$0.05 $\pm$ 0.07"
    assert escaped("ratio by `han2016_huffman`") == r"ratio by \texttt{han2016\_huffman}"
    assert escaped("lenet300_100-none – 1-2") == r"lenet300\_100-none -- 1-2"


def test_every_row_has_every_column():
    rows = [{"a & b": "1.00", "note": "x"}, {"a & b": "–", "note": "long " * 20}]
    lines = latex_table("T", table(rows)).splitlines()
    assert r"\begin{tabular}{rp{5cm}}" in lines
    body = [line for line in lines if line.endswith(r"\\")]
    assert len(body) == 3
    assert all(len(re.findall(r"(?<!\\)&", line)) == 1 for line in body)
    order = [line for line in lines if line in (r"\toprule", r"\midrule", r"\bottomrule")]
    assert order == [r"\toprule", r"\midrule", r"\bottomrule"]
    assert csv_table(table(rows)).splitlines()[0] == "a & b,note"


def test_tables_are_named_by_page_and_section():
    of = page("P", table([{"a": "1"}]), section("Top-1 error, %", "words", table([{"b": "2"}])),
              section("Empty", table([])))  # fmt: skip
    assert [(name, title) for name, title, _ in tables("p-mnist", of)] == [
        ("p-mnist", "P"),
        ("p-mnist.top-1-error", "P: Top-1 error, %"),
    ]


@pytest.mark.parametrize(
    "titles", [("same", "same"), ("a_b", "a-b"), ("a", "a", "a-2", "a"), ("Δ", "±"), ("", "")]
)
def test_no_two_tables_have_one_name(titles):
    ones = [section(title, table([{"a": "1"}]), table([{"a": "2"}])) for title in titles]
    names = [name for name, _, _ in tables("p", page("P", table([{"a": "0"}]), *ones))]
    assert len(set(names)) == len(names) == 1 + 2 * len(titles)
    # They are names of files too, and stay the same where nothing was taken.
    assert all(re.fullmatch(r"p(\.[a-z0-9-]+)?", name) for name in names)
    assert names[:2] == ["p", next(tables("p", page("P", ones[0])))[0]]


def test_no_row_is_read_as_an_argument_of_the_one_above():
    text = latex_table("two\nlines", table([{"a": "x"}, {"a": "[4pt] y"}, {"a": "*z"}]))
    lines = text.splitlines()
    assert lines[0] == "% two lines"
    assert lines[7:10] == [r"x \\", r"{}[4pt] y \\", r"{}*z \\"]
