"""A store with two points of three seeds, one of them with real artifacts, and its page."""

import base64
import gzip
import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from clusterpress import artifact
from clusterpress.codes import Kernels, KernelSet, attach
from clusterpress.report import write_report
from clusterpress.results import Paper, read_records
from tests.results.synthetic import make_claim, make_record, store_of

NAMES = {"p": [("han2016", "lenet5")]}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 3))
    code = Kernels(torch.arange(6) % 4, KernelSet(torch.randn(4, 9)), (3, 2, 3, 3))
    attach(network[0], "weight", code, torch.ones(3, 2))
    ledger = artifact.save(network, tmp_path / "artifact.safetensors")
    records = [make_record(seed=seed, ledger=ledger.to_dict()) for seed in range(3)]
    loose = make_record(point="q", method="</script><b>", top1_error=0.5)
    root = store_of(tmp_path / "store", [*records, loose])
    for record in records:
        target = root / "runs" / record["id"] / "artifact.safetensors"
        target.write_bytes((tmp_path / "artifact.safetensors").read_bytes())
    logs = root / "logs" / "c-finetune"
    logs.mkdir(parents=True)
    (logs / "metrics.csv").write_text(
        "epoch,loss,lr,step,train_loss,validation_error\n,0.5,0.1,1,,\n0,,,10,0.4,2.5\n1,,,20,0.3,2.25\n"
    )
    return root


@pytest.fixture
def records(store: Path) -> pd.DataFrame:
    return read_records(store)


@pytest.fixture
def page(store: Path, records: pd.DataFrame, tmp_path: Path) -> Path:
    paper = Paper("han2016", "A title", "ICLR", 2016, (make_claim(points=("lenet5",)),))
    path = tmp_path / "report.html"
    commands = {("han2016", "lenet5"): ("data=mnist", "method.steps.prune.keep={conv: 0.5}")}
    size = write_report(records, [paper], NAMES, path, commands=commands, store=store)
    assert size == path.stat().st_size
    return path


def data_of(page: Path) -> dict:
    mark = 'id="packed-data">'
    text = page.read_text()
    start = text.index(mark) + len(mark)
    return json.loads(gzip.decompress(base64.b64decode(text[start : text.index("<", start)])))
