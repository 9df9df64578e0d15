"""The committed gallery says of each figure what the figure says of itself."""

import runpy
from pathlib import Path

from ipsevidence.figures import FIGURES

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"


def test_the_committed_gallery_is_in_step(tmp_path):
    runpy.run_path(str(GALLERY / "make_gallery.py"))["draw"](tmp_path)
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == page, "run: make images"
    for kind in FIGURES:
        committed, drawn = ((folder / f"{kind}.svg").read_text(encoding="utf-8") for folder in (GALLERY, tmp_path))
        # Coordinates may differ in a last digit between machines; what is said may not.
        assert said(committed) == said(drawn), f"{kind}: run: make images"


def said(svg):
    return svg.partition("<metadata>")[0].partition("<title>")[2]
