"""Files without training: every one is a row, and rows are judged by the test set's word."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from clusterpress.bench.artifact_networks import Trained
from clusterpress.bench.untrained import NNCODEC, OURS, Point, bounds, page, points, read, table
from clusterpress.data.images import ImageSet, Split


def _point(coder: str, size: int, lost: float) -> Point:
    return Point("lenet5", coder, 0.0, size, 1e6 / size, lost, 99.0, "a machine")


@pytest.mark.parametrize(("lost", "judgement"), [(0.04, "met"), (0.05, "missed")])
def test_only_files_that_lose_no_more_count(lost: float, judgement: str) -> None:
    first, *_ = bounds([_point(OURS, 10_000, lost)])
    assert first.cells()[0] == judgement
    assert bounds([])[0].cells()[0] == "not measured"


def test_a_file_is_beaten_by_one_no_larger_that_loses_no_more() -> None:
    file = _point(NNCODEC, 100, 0.1)
    assert file.beaten_by(_point(OURS, 100, 0.1))
    assert not file.beaten_by(_point(OURS, 101, 0.0))
    assert not file.beaten_by(_point(OURS, 99, 0.2))
    rows = [file, _point(OURS, 90, 0.0), _point(OURS, 80, 0.2)]
    text = page(rows)
    assert "1 of 1 files of NNCodec's" in text
    assert "0 of 2 files of ours" in text
    assert len(table(rows).splitlines()) == 1 + len(rows)


def test_dearer_bits_make_smaller_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTERPRESS_NNCODEC", raising=False)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.Linear(40, 10))
    split = Split(torch.randint(0, 256, (50, 1, 8, 8), dtype=torch.uint8), torch.zeros(50).long())
    images = ImageSet("noise", 10, split, split, split, sha256="")
    given = Trained(network.eval(), images)
    found = list(points("tiny", given, tmp_path, "", prices=(0.01, 0.1)))
    assert [row.coder for row in found] == [OURS, OURS]
    assert found[0].bytes > found[1].bytes
    assert all(0 <= row.agreement <= 100 for row in found)
    (tmp_path / "points.csv").write_text(table(found[:1]))
    before = replace(read(tmp_path / "points.csv")[0], machine="another")
    again = list(points("tiny", given, tmp_path, "", prices=(0.01, 0.1), done=[before]))
    assert again == [before, found[1]]
    blind = Trained(given.network, None)
    assert list(points("tiny", blind, tmp_path, "", done=[before, _point(OURS, 1, 0.0)])) == [
        before
    ]
