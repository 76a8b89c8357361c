"""What stands elsewhere in the repository, as pages of the site: one copy of each thing."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
# A name in `nav` -> the folder whose pages it stands for.
FOLDERS = {"papers": "experiments", "tables": "results/tables", "bench": "results/bench"}
WIDE = {"tables", "bench"}
FIGURES = "results/figures"
# What those pages point to in the repository -> where it is in the site.
MOVED = {"../../README.md#how-each-number-is-counted": "../numbers.md", "../../docs/": "../"}
FETCHED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?https?:|<link\b[^>]*\bhref=\"?https?:"
)
NAMES = re.compile(r"^__all__ of (\S+)$", re.MULTILINE)
EVERY_FIGURE = re.compile(r"^every figure of results$", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the folders' pages where `nav` names them."""
    config.nav = [_filled(entry) for entry in config.nav or []]
    return config


def _filled(entry: dict[str, Any]) -> dict[str, Any]:
    ((title, target),) = entry.items()
    if isinstance(target, list) or target not in FOLDERS:
        return entry
    return {title: [f"{target}/{path.name}" for path in _pages(target)]}


def _pages(name: str) -> list[Path]:
    return sorted((ROOT / FOLDERS[name]).glob("*.md"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and figures; their text stays where it is."""
    for name in FOLDERS:
        for path in _pages(name):
            text = path.read_text(encoding="utf-8")
            for old, new in MOVED.items():
                text = text.replace(old, new)
            if name in WIDE:
                text = f"---\nhide: [toc]\n---\n\n{text}"
            files.append(File.generated(config, f"{name}/{path.name}", content=text))
    for path in sorted((ROOT / FIGURES).glob("*.svg")):
        files.append(File.generated(config, f"figures/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write out what a page asks for: every public name of a room, every figure there is."""
    del page, config, files
    named = NAMES.sub(lambda found: _every_name(found[1]), markdown)
    return EVERY_FIGURE.sub(lambda _: _every_figure(), named)


def _every_name(module: str) -> str:
    """Give an entry for every name of ``__all__``, read without importing anything."""
    path = ROOT / "src" / Path(*module.split(".")) / "__init__.py"
    listed = re.search(r"^__all__ = \[(.*?)\]", path.read_text(encoding="utf-8"), re.S | re.M)
    if listed is None:
        raise PluginError(f"{path} has no __all__")
    names = re.findall(r'"(\w+)"', listed[1])
    return "\n\n".join(f"::: {module}.{name}" for name in names if not name.startswith("__"))


def _every_figure() -> str:
    """Give an image for every figure; its file is named by what it shows, data and network."""
    shown = []
    for path in sorted((ROOT / FIGURES).glob("*.svg")):
        kind, data, model = path.stem.split("-", 2)
        shown.append(f"![{kind.capitalize()} of {model} on {data}](figures/{path.name})")
    return "\n\n".join(shown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would fetch something: the site is read without a network."""
    del config
    found = FETCHED.findall(output)
    if found:
        raise PluginError(f"{page.file.src_uri} fetches from elsewhere: {found}")
    return output
