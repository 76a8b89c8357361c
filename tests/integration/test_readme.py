"""The README's worked example runs as it is printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"```(?P<language>\w*)\n(?P<text>.*?)```", re.DOTALL)


def example() -> tuple[str, str, str]:
    text = README.read_text().split("## A method in one file")[1].split("\n## ")[0]
    python, yaml, shell = (match["text"] for match in BLOCK.finditer(text))
    return python, yaml, shell


@pytest.mark.skipif(not README.is_file(), reason="there is no README beside an installed package")
def test_the_example_of_a_method_runs(tmp_path):
    python, yaml, shell = example()
    (tmp_path / python.splitlines()[0].removeprefix("# ")).write_text(python)
    method = tmp_path / yaml.splitlines()[0].removeprefix("# ")
    method.parent.mkdir(parents=True)
    method.write_text(yaml)
    command = shell.strip() + " recipe.train.epochs=1 recipe.finetune.epochs=1"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CLUSTERPRESS_STORE": str(tmp_path / "store")}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env=environment,
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "digits lenet300_100 rounding seed 0" in done.stdout
    assert "round " in done.stdout


@pytest.mark.skipif(not README.is_file(), reason="there is no README beside an installed package")
def test_the_example_of_ones_own_network_runs(tmp_path):
    text = README.read_text().split("## A network of your own")[1].split("\n## ")[0]
    python = next(BLOCK.finditer(text))["text"]
    quicker = python.replace('"cluster.k": 128', '"cluster.k": 4')
    assert quicker != python
    done = subprocess.run(
        [sys.executable, "-c", quicker],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "finetune was left out" in done.stdout
    assert (tmp_path / "small.safetensors").is_file()
