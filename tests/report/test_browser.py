"""The page in a real browser: filters, sorting, details, themes; no error and no request."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clusterpress.report import write_report
from clusterpress.results import Paper, read_records
from tests.results.synthetic import make_claim, make_record, store_of

from .conftest import NAMES

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = os.environ.get("CLUSTERPRESS_CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no chromium; install it or set CLUSTERPRESS_CHROMIUM"
)


@contextmanager
def browsing(page: Path, theme: str) -> Iterator:
    """Open the page in a theme; it may neither complain nor ask the network for anything."""
    complaints: list[str] = []
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(color_scheme=theme)
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda asked: _own(asked.url) or complaints.append(asked.url))
        tab.goto(page.as_uri())
        tab.wait_for_selector("#points tbody tr")
        assert tab.evaluate("document.documentElement.dataset.theme") == theme
        yield tab
        browser.close()
    assert complaints == []


@pytest.fixture(params=["light", "dark"])
def opened(request, page: Path) -> Iterator:
    """The page in a theme."""
    with browsing(page, request.param) as tab:
        tab.wait_for_selector("#points tbody tr[data-point]")
        yield tab


def _own(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:"))


def test_the_page_works_in_a_browser(opened) -> None:
    rows = opened.locator("#points tbody tr[data-point]")
    assert rows.count() == 2
    assert opened.locator("#plot .scatterlayer .point").count() >= 2
    # One of the two is a single run, which has no interval.
    assert opened.locator("#plot .scatterlayer path.yerror").count() == 1

    opened.click("#points thead [data-key=error]")
    first = rows.first.inner_text()
    opened.click("#points thead [data-key=error]")
    assert rows.first.inner_text() != first
    assert opened.get_attribute("#points thead th:has([data-key=error])", "aria-sort") == (
        "descending"
    )

    opened.select_option("#filter-suite", "han2016")
    assert rows.count() == 1
    opened.select_option("#filter-convention", "weights")
    assert "38.00x" in rows.first.text_content()

    rows.first.focus()
    opened.keyboard.press("Enter")
    detail = opened.locator("#detail")
    assert detail.is_visible()
    assert "clusterpress run -m data=mnist" in detail.inner_text()
    assert opened.locator("#detail .kernels svg").count() == 4
    opened.wait_for_selector("#curve-error .scatterlayer .point")
    opened.keyboard.press("Escape")
    assert not detail.is_visible()

    opened.click("#filters [type=reset]")
    opened.wait_for_function("document.querySelectorAll('#points tr[data-point]').length === 2")
    before = opened.evaluate("document.documentElement.dataset.theme")
    opened.click("#theme")
    assert opened.evaluate("document.documentElement.dataset.theme") != before


def test_a_change_has_a_colour_only_where_its_interval_leaves_zero_out(opened) -> None:
    cells = opened.locator("#points tbody tr[data-point] span:text-matches('±')")
    assert cells.count() >= 1
    for cell in cells.all():
        mean, half = map(float, cell.inner_text().replace("+", "").split(" ± "))
        assert bool(cell.get_attribute("class")) == (abs(mean) > half), cell.inner_text()


def test_a_pointer_over_a_point_tells_of_it(opened) -> None:
    opened.locator("#plot .scatterlayer .point").first.hover(force=True)
    opened.wait_for_selector("#plot .hoverlayer .hovertext")
    assert "error" in opened.locator("#plot .hoverlayer .hovertext").first.text_content()


def test_a_page_of_nothing_says_so_and_works(tmp_path: Path) -> None:
    records = read_records(store_of(tmp_path, []))
    write_report(records, [], {}, tmp_path / "report.html", commands={})
    with browsing(tmp_path / "report.html", "light") as tab:
        assert tab.inner_text("#summary").startswith("0 points, 0 runs")
        assert "No point" in tab.inner_text("#points tbody")


def test_paper_is_white_and_nothing_is_cut_off(opened) -> None:
    theme = "document.documentElement.dataset.theme"
    before = opened.evaluate(theme)
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.evaluate(theme) == "light"
    millimetres = 297 - 20
    opened.set_viewport_size({"width": round(millimetres / 25.4 * 96), "height": 718})
    opened.emulate_media(media="print")
    for part in ("#points", "#claims", "#plot .main-svg"):
        box = opened.locator(part).first.bounding_box()
        assert box["x"] + box["width"] <= opened.viewport_size["width"], part
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.evaluate(theme) == before


def test_long_names_do_not_widen_the_page_and_claims_count_once(tmp_path: Path) -> None:
    long = "x" * 300
    runs = [make_record(model=long), make_record(point="q", model=long, data="digits")]
    names = {**NAMES, "q": NAMES["p"]}
    claims = [make_claim(model=long, id=data, data=data) for data in ("mnist", "cifar10")]
    paper = Paper("han2016", "A title", "ICLR", 2016, tuple(claims))
    records = read_records(store_of(tmp_path / "store", runs))
    write_report(records, [paper], names, tmp_path / "report.html", commands={})
    with browsing(tmp_path / "report.html", "light") as tab:
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert tab.locator("#claims tbody tr").count() == 4
        assert "1 of 2 claims" in tab.inner_text("#summary")
