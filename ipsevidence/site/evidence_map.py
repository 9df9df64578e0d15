"""The map of evidence and gaps: populations by what they were compared with, and how well the counts are known."""

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ipsevidence.dataset.overview import NO_COUNTS, best_basis, evidence_map
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP
from ipsevidence.figures import figure, save
from ipsevidence.figures.map_plot import COLUMNS
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.site.material import Material

__all__ = ["files"]

_SHADES = (1, 2, 5, 10)
"""Studies from which a cell is darker."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """Included studies of one population against one kind of comparator."""

    column: str
    studies: int
    counts: int
    shade: int


def files(material: "Material") -> dict[str, bytes]:
    """Make the map, and the figure of it as files; nothing where no study is included."""
    rows = _rows(material)
    text = page(
        "map.html.j2",
        path="map.html",
        title="Evidence map",
        description="How many studies there are for each population and comparator, and where there are none.",
        here="map",
        columns={key: label for key, (label, _) in COLUMNS.items()},
        rows=rows,
        has_figure=bool(rows),
    )
    return {"map.html": text.encode()} | (_figure(material) if rows else {})


def _figure(material: "Material") -> dict[str, bytes]:
    drawn = figure("map", None, material.dataset)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("svg", "pdf"):
            save(drawn, Path(folder) / f"map.{suffix}")
        return {f"map.{suffix}": (Path(folder) / f"map.{suffix}").read_bytes() for suffix in ("svg", "pdf")}


def _rows(material: "Material") -> list[tuple[str, str, list[_Cell]]]:
    """Return the populations in the order of the vocabulary, each with its cells; studies that are included count."""
    dataset = material.dataset
    found: dict[tuple[str, str], set[str]] = {}
    for cell in evidence_map(dataset):
        for key, (_, comparators) in COLUMNS.items():
            if cell.comparator in comparators:
                names = {name for name in cell.studies if dataset[name].status == "included"}
                found.setdefault((cell.group, key), set()).update(names)
    rows = []
    for group, term in ANALYSIS_GROUP.items():
        cells = []
        for key in COLUMNS:
            names = found.get((group, key), set())
            counts = sum(best_basis(dataset[name]) != NO_COUNTS for name in names)
            shade = sum(len(names) >= least for least in _SHADES)
            cells.append(_Cell(column=key, studies=len(names), counts=counts, shade=shade))
        rows.append((group, term.label, cells))
    return rows if any(cell.studies for *_, cells in rows for cell in cells) else []
