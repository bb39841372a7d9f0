"""The notebooks as JupyterLab shows them right after a clone: not trusted, and nothing run; looked at in a browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell

from indutech.report.execution import NOTEBOOKS
from tests.browser import CHROMIUM, WITHOUT, chromium

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT)]

START_S = 90
DEADLINE_MS = 60_000
LOOKED_AT = ("01_architecture", "05_finops")
ALL_CELLS = '{"windowingMode": "none", "autoStartDefaultKernel": false}'

# The formula that this test added is typeset, so MathJax has seen the page; and every picture has arrived.
READY = """() => document.querySelectorAll('mjx-container').length
  && document.querySelectorAll('.jp-OutputArea-output').length > 20
  && [...document.querySelectorAll('.jp-RenderedImage img')].every((image) => image.complete)"""

# Cells of a table that hold more than a word, and do not stand on the left.
WORDS_ON_THE_RIGHT = """() => [...document.querySelectorAll('.jp-RenderedHTML td')]
  .filter((cell) => /^[A-Za-zÀ-ÿ][^$]{20,}$/.test(cell.textContent) && getComputedStyle(cell).textAlign !== 'left')
  .map((cell) => cell.textContent)"""

# So many charts are drawn, each with something in it.
CHARTS = "(wanted) => document.querySelectorAll('.js-plotly-plot:has(svg.main-svg path)').length === wanted"

WIDTHS = "[...document.querySelectorAll('.jp-RenderedImage img')].map((image) => image.naturalWidth)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab of its own that trusts nothing yet, on copies of the notebooks with a formula at their end."""
    folder = tmp_path_factory.mktemp("carnets")
    for name in LOOKED_AT:
        notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        notebook.cells.append(new_markdown_cell("$x^2$"))
        nbformat.write(notebook, folder / f"{name}.ipynb")
    own = {part: folder / part.lower() for part in ("DATA_DIR", "CONFIG_DIR", "RUNTIME_DIR")}
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(ALL_CELLS, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
            f"--notebook-dir={folder}", "--LabApp.news_url=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        env={**os.environ, **{f"JUPYTER_{part}": str(path) for part, path in own.items()},
             "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "spaces")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/api", server)
        yield f"http://127.0.0.1:{port}/lab/tree"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers, or say that it did not."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 our own server
            return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not answer at {url}, exit code {server.poll()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all notebooks."""
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("name", LOOKED_AT)
def test_an_untrusted_notebook_reads_as_it_was_meant(browser: Any, address: str, name: str) -> None:
    """Dollars stay dollars, drawings and charts are seen, no output names an object, words stand on the left."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/{name}.ipynb?reset")
    page.wait_for_function(READY, timeout=DEADLINE_MS)
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    kinds = [kind for cell in notebook.cells for output in cell.get("outputs", []) for kind in output.get("data", {})]

    page.wait_for_function(CHARTS, arg=kinds.count("application/vnd.plotly.v1+json"), timeout=DEADLINE_MS)
    drawings = page.evaluate(WIDTHS)
    formulas = page.locator("mjx-container").count()
    right = page.evaluate(WORDS_ON_THE_RIGHT)
    shown = page.locator(".jp-Notebook").inner_text()
    page.close()

    assert (formulas, right) == (1, [])
    assert "<IPython" not in shown
    assert "\\$" not in shown
    assert len([width for width in drawings if width > 1000]) == kinds.count("image/svg+xml")
