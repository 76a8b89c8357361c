"""Every code block of the README and of docs/ runs as it is printed, page by page, in order.

A block whose title begins with ``not run here:`` is checked instead: its syntax, its commands and
their options, its overrides, and the targets of make.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from clusterpress.cli import app
from clusterpress.runs.compose import compose, sweep_points
from clusterpress.runs.plan import plan
from clusterpress.runs.replicates import with_seeds
from clusterpress.runs.suites import chosen, suite_points
from clusterpress.sweeps.space import space_of

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"python", "bash", "yaml", "text"}
NOT_RUN = re.compile(r'title="not run here: \w[^"]+"')
FILE = re.compile(r"# ([\w/]+\.(?:py|yaml))\n")
OTHERS = {"git", "cd", ".", "tensorboard", "wandb"}

pytestmark = pytest.mark.skipif(
    not (ROOT / "mkdocs.yml").is_file(), reason="there is no documentation beside the package"
)


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    runs: bool
    line: int


def blocks(page: Path) -> list[Block]:
    text, found = page.read_text(encoding="utf-8"), []
    for match in BLOCK.finditer(text):
        language, _, title = match["info"].partition(" ")
        line = text[: match.start()].count("\n") + 1
        assert language in LANGUAGES, f"{page.name}:{line}: a block of {language!r}"
        assert not title or NOT_RUN.fullmatch(title), f"{page.name}:{line}: {title!r}"
        found.append(Block(language, match["text"], not title, line))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_page_runs_in_order(page, tmp_path, monkeypatch):
    prepare(tmp_path, monkeypatch)
    namespace: dict[str, object] = {}
    for block in blocks(page):
        named = FILE.match(block.text)
        if named:
            path = tmp_path / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.runs and block.language == "python":
            exec(compile(block.text, f"{page.name}:{block.line}", "exec"), namespace)
        elif block.runs and block.language == "bash":
            shell(block, page)


def prepare(folder: Path, monkeypatch) -> None:
    """Stand in an empty folder with copies of what a reader has in a checkout."""
    (folder / "results").mkdir()
    for name in ("README.md", "results/records.csv"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "bin").mkdir()
    command = folder / "bin" / "clusterpress"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clusterpress.cli "$@"\n')
    command.chmod(0o755)
    paths = [str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(paths))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("CLUSTERPRESS_STORE", raising=False)
    monkeypatch.chdir(folder)


def shell(block: Block, page: Path) -> None:
    lines = block.text.replace("\\\n", " ").splitlines()
    if all(re.match(r"clusterpress [^|>&;$]+$", line) for line in lines):
        # Commands and nothing else: here, where what they import and compile is there already.
        for words in commands(block.text):
            files = [
                sorted(map(str, Path().glob(word))) if "*" in word else [word] for word in words[1:]
            ]
            done = CliRunner().invoke(app, [word for found in files for word in found])
            assert done.exit_code == 0, f"{page.name}:{block.line}\n{done.output}{done.exception}"
    else:
        bash(block, page)


def bash(block: Block, page: Path) -> None:
    # The reader's PYTHONPATH=. stands before what the tests' own interpreter needs.
    text = block.text.replace("PYTHONPATH=. ", 'PYTHONPATH=".:${PYTHONPATH:-}" ')
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        text=True,
        capture_output=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, f"{page.name}:{block.line}\n{done.stdout}{done.stderr}"
    assert "is left out: " not in done.stderr, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_not_run_is_right_as_far_as_one_can_see(page):
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, f"{page.name}:{block.line}", "exec")
        elif block.language == "yaml":
            assert yaml.safe_load(block.text)
        elif block.language == "bash" and not block.runs:
            subprocess.run(["bash", "-n", "-c", block.text], check=True)
            for words in commands(block.text):
                check(words)


def commands(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z]+=\S*", words[0]):
            words.pop(0)
        if words:
            yield words


def check(words: list[str]) -> None:
    if words[0] == "make":
        check_make(words[1:])
    elif words[0] == "clusterpress":
        check_command(words[1:])
    else:
        assert words[0] in OTHERS, f"{words[0]} is no known command"


def check_make(words: list[str]) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    names = [word for word in words if "=" not in word]
    assert names
    assert set(names) <= set(targets), f"make has no {names}"


def check_command(words: list[str]) -> None:
    from typer.main import get_command

    group = get_command(app)
    command = group.get_command(group.make_context("clusterpress", words), words[0])
    assert command is not None, f"clusterpress has no command {words[0]!r}"
    context = command.make_context(words[0], list(words[1:]))
    if words[0] in ("run", "validate"):
        check_overrides(context.args)
    elif words[0] == "reproduce":
        params = context.params
        points = chosen(suite_points(), params["papers"] or [], params["data"] or [])
        assert points
        plan(compose([*points[0].overrides, *(params["override"] or [])]))


def check_overrides(overrides: list[str]) -> None:
    # What a page itself adds, or what lies elsewhere, is there only where the block runs.
    if any("searchpath" in line or "_target_" in line for line in overrides):
        return
    kept = [line for line in overrides if line not in ("-m",) and "weights=" not in line]
    engine = [line for line in kept if line.startswith(("hydra.", "hydra/"))]
    lines = [line for line in kept if line not in engine]
    if "hydra/sweeper=optuna" in engine:
        space = space_of(with_seeds(lines, sweep=True))
        points = [[*space.corner(high=high)] for high in (False, True)]
    else:
        points = sweep_points(lines)
    for point in points:
        plan(compose(point))


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text()
    for page in sorted((ROOT / "docs").rglob("*.md")):
        assert f": {page.relative_to(ROOT / 'docs').as_posix()}\n" in text
