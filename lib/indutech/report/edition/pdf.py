"""The report as one PDF, printed by Chromium from the one file: cover, contents with page numbers, all pages."""

import json
import tempfile
from collections.abc import Sequence
from ctypes import c_long, create_string_buffer
from pathlib import Path

from pypdfium2 import PdfDocument
from pypdfium2.raw import FPDF_CountNamedDests, FPDF_GetNamedDest, FPDFDest_GetDestPageIndex

from indutech.report.edition import chromium, one_file, paper
from indutech.report.edition.one_file import Chapter
from indutech.report.edition.translation import recognised
from indutech.show.language import gettext, marked

NAME = "indutech-report.pdf"
# What the cover says, with the names of the figures in it.
COVER = {
    marked("The proof of this run"): "{proof}",
    marked("A month on AWS, low – base – high"): "{month_low} – {month} – {month_high}",
    marked("Three years in all, low – base – high"): "{years_low} – {years} – {years_high}",
    marked("Stands on rates not read for Paris"): marked("{in_doubt} of the month"),
    marked("Speed, tickets a second for each core"): "{tickets_per_core_second}",
    marked("Not verified"): marked("nothing ran on AWS or on a Redpanda; the tickets are generated"),
}


def write(folder: Path, chapters: Sequence[Chapter], program: str) -> Path:
    """Print a finished report into its folder.

    It is printed twice: only the first print knows on which page each heading comes to stand.

    Raises:
        BrowserFailed: Chromium did not print.
    """
    with tempfile.TemporaryDirectory(prefix="indutech-book-") as temporary:
        page, first = Path(temporary) / "book.html", Path(temporary) / "first.pdf"
        cover, chapters = _cover(folder), paper.arranged(chapters)
        page.write_text(one_file.composed(folder, chapters, cover=cover, page_of={}), encoding="utf-8")
        chromium.print_pdf(page, first, program, draft=True)
        page_of = pages_of_anchors(first)
        chapters = paper.numbered(chapters, page_of)
        page.write_text(one_file.composed(folder, chapters, cover=cover, page_of=page_of), encoding="utf-8")
        chromium.print_pdf(page, folder / NAME, program)
    return folder / NAME


def pages_of_anchors(pdf: Path) -> dict[str, int]:
    """On which page each anchor stands that something in the document links to."""
    found = {}
    with PdfDocument(pdf) as document:
        for number in range(FPDF_CountNamedDests(document)):
            length = c_long()
            FPDF_GetNamedDest(document, number, None, length)  # tells how long the name is
            name = create_string_buffer(length.value)
            destination = FPDF_GetNamedDest(document, number, name, length)
            anchor = name.raw.decode("utf-16-le").rstrip("\0")
            found[anchor] = FPDFDest_GetDestPageIndex(document, destination) + 1
    return found


def _cover(folder: Path) -> list[dict[str, str]]:
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    shown = {name: recognised.said(figure["shown"]) for name, figure in facts["figures"].items()}
    shown["proof"] = recognised.said(facts["proof"]["sentence"] if facts["proof"] else "nothing was sent")
    rows = []
    for name, text in COVER.items():
        try:
            rows.append({"name": gettext(name), "shown": gettext(text).format(**shown)})
        except KeyError:
            continue  # a run of some notebooks only: the front page says what was not measured
    return rows
