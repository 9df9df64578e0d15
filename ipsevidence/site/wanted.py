"""Wanted numbers: what nobody could read yet, and what would change the first answer."""

from typing import TYPE_CHECKING

from ipsevidence.dataset.overview import wanted
from ipsevidence.report.evidence_tables import unlocks
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.site.material import Material

__all__ = ["files"]


def files(material: "Material") -> dict[str, bytes]:
    """Make the page of wanted numbers."""
    first = material.reproductions.get("primary")
    table = None
    if first is not None and first.examined is not None and isinstance(first.examined.unlocks, tuple):
        table = unlocks(first.run, first.examined, most=10)
    text = page(
        "wanted.html.j2",
        path="wanted.html",
        title="Wanted numbers",
        description="Numbers that stand in papers which nobody here has read in full yet, the largest studies first.",
        here="wanted",
        scripts=("tables.js",),
        numbers=wanted(material.dataset),
        not_entered=material.dataset.not_entered,
        changes=table if table is not None and table.rows else None,
        ids={study.label: study.id for study in material.dataset},
    )
    return {"wanted.html": text.encode()}
