"""Chromium, if this machine has it: draws the charts as SVG and prints a page as PDF, without a window or a network."""

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly

from indutech.system.errors import InduTechError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
WIDTH = 760  # of a drawn chart, in pixels: that of a column of text, and of a printed page
DEADLINE_S = 120
HOW_TO_GET = "Chromium or Chrome is not on this machine: install one (Debian: `apt install chromium`)"

_DRAW = """<!doctype html><meta charset="utf-8"><script src="plotly.min.js"></script><body>
<script type="application/json" id="specs">%s</script>
<script>
(async () => {
  const drawn = [];
  for (const spec of JSON.parse(document.getElementById("specs").textContent)) {
    const size = { width: %d, height: spec.layout.height || 400 };
    const figure = { data: spec.data, layout: { ...spec.layout, ...size } };
    const url = await Plotly.toImage(figure, { format: "svg", ...size });
    drawn.push(decodeURIComponent(url.slice(url.indexOf(",") + 1)));
  }
  const out = document.createElement("script");
  out.type = "application/json";
  out.id = "drawn";
  out.textContent = JSON.stringify(drawn).replaceAll("<", "\\\\u003c");
  document.body.append(out);
})();
</script>"""


class BrowserFailed(InduTechError):
    """Chromium was started and did not do what it was asked for."""


def find() -> str | None:
    """The program, if there is one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (str(MAC) if MAC.exists() else None)


def draw(specs: Sequence[Mapping[str, Any]], program: str) -> list[str]:
    """Each chart as SVG, drawn by the same Plotly that draws it on a page.

    Raises:
        BrowserFailed: nothing came back.
    """
    with tempfile.TemporaryDirectory(prefix="indutech-draw-") as folder:
        package: Any = plotly
        shutil.copy(Path(package.__file__).parent / "package_data" / "plotly.min.js", folder)
        data = json.dumps(list(specs), ensure_ascii=False).replace("<", "\\u003c")
        page = Path(folder) / "draw.html"
        page.write_text(_DRAW % (data, WIDTH), encoding="utf-8")
        dumped = _run(program, folder, "--virtual-time-budget=100000", "--dump-dom", page.as_uri())
    found = re.search(r'<script type="application/json" id="drawn">(.*?)</script>', dumped, re.DOTALL)
    if not found:
        raise BrowserFailed(f"{program} drew no chart. {HOW_TO_GET} that starts")
    return [_alone(svg) for svg in json.loads(html.unescape(found[1]) if "&lt;" in found[1] else found[1])]


def print_pdf(page: Path, into: Path, program: str, *, draft: bool = False) -> None:
    """Print a page as PDF, with an outline of its headings and the tags of a screen reader; a draft has neither.

    Raises:
        BrowserFailed: no file came out.
    """
    with tempfile.TemporaryDirectory(prefix="indutech-print-") as folder:
        made = Path(folder) / "made.pdf"
        more = "--disable-pdf-tagging" if draft else "--generate-pdf-document-outline"
        _run(program, folder, "--no-pdf-header-footer", more, f"--print-to-pdf={made}", page.as_uri())
        if not made.exists():
            raise BrowserFailed(f"{program} printed nothing from {page}. {HOW_TO_GET} that starts")
        shutil.move(made, into)


def _run(program: str, folder: str, *arguments: str) -> str:
    command = [
        program, "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--mute-audio",
        "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
        f"--user-data-dir={folder}/profile", *(["--no-sandbox"] if os.geteuid() == 0 else []), *arguments,
    ]  # fmt: skip
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        raise BrowserFailed(f"{program} did not end within {DEADLINE_S} s, and was stopped.") from None
    if said.returncode:
        last = (said.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BrowserFailed(f"{program} ended with code {said.returncode}: {last}")
    return said.stdout


def _alone(svg: str) -> str:
    """A drawn chart that takes the width it is given."""
    return re.sub(r'(<svg\b[^>]*?) width="\d+" height="\d+"', r"\1", svg, count=1)
