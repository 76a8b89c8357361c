"""The page in a real browser: filters, sorting, details, themes; no error and no request."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(params=["light", "dark"])
def opened(request, page: Path) -> Iterator:
    """The page in a theme, which may neither complain nor ask the network for anything."""
    complaints: list[str] = []
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(color_scheme=request.param)
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda asked: _own(asked.url) or complaints.append(asked.url))
        tab.goto(page.as_uri())
        tab.wait_for_selector("#points tbody tr[data-point]")
        assert tab.evaluate("document.documentElement.dataset.theme") == request.param
        yield tab
        browser.close()
    assert complaints == []


def _own(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:"))


def test_the_page_works_in_a_browser(opened) -> None:
    rows = opened.locator("#points tbody tr[data-point]")
    assert rows.count() == 2
    assert opened.locator("#plot .scatterlayer .point").count() >= 2

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
