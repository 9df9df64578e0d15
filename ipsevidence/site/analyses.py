"""The analyses: a list by question, and for each its report as a page with its files beside it."""

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ipsevidence.core import NotApplicable
from ipsevidence.dataset.collection import Dataset, load
from ipsevidence.report.sentences import verdict_line
from ipsevidence.site.report_files import PRIMARY, report_files
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.site.material import Material

__all__ = ["FAMILIES", "family", "files"]

FAMILIES: Final[dict[str, tuple[str, Callable[["AnalysisRun"], bool]]]] = {
    "The primary question, by population": (
        "Any competitive job at the time nearest 18 months within 12 to 24; plain or adapted IPS; randomised trials.",
        lambda run: run.spec.id in PRIMARY,
    ),
    "Published reviews, run again": (
        "By the methods of the papers, as far as they are known; every published figure has its verdict.",
        lambda run: run.spec.purpose == "reproduction",
    ),
    "Groups compared": ("Kinds of trials set against each other.", lambda run: run.spec.subgroups is not None),
    "Rates of single groups": (
        "How many of a group came into work. They have no control: none says what a service adds.",
        lambda run: run.measure.needs == "proportion",
    ),
    "Fidelity": ("", lambda run: run.spec.id.startswith("fidelity-")),
    "Overlapping tags": ("One trial may stand in several of these.", lambda run: run.spec.id.startswith("tag-")),
    "Other questions": ("Other outcomes, windows and contrasts; each is an analysis of its own.", lambda _: True),
}
"""Parts of the list: a sentence, and which analyses stand there; the first that takes an analysis has it."""


def family(run: "AnalysisRun") -> str:
    """Return the part of the list that an analysis stands in."""
    return next(name for name, (_, belongs) in FAMILIES.items() if belongs(run))


def files(material: "Material") -> dict[str, bytes]:
    """Make the list of analyses, and for each its page and its files."""
    found = {"analyses/index.html": _list(material).encode()}
    for name, folder in _folders(material).items():
        found |= {f"analyses/{name}/{file}": content for file, content in folder.items()}
    return found


def _folders(material: "Material") -> dict[str, dict[str, bytes]]:
    """Return the files of every analysis, drawn by several processes where that was asked for."""
    from joblib import Parallel, delayed

    done = material.reproductions
    if material.workers == 1:
        return {name: report_files(one, material.dataset) for name, one in done.items()}
    root = str(material.dataset.root)
    folders = Parallel(n_jobs=material.workers)(delayed(_apart)(root, one) for one in done.values())
    return dict(zip(done, folders, strict=True))


def _apart(root: str, reproduction: "Reproduction") -> dict[str, bytes]:
    return report_files(reproduction, _dataset(root))


@functools.cache
def _dataset(root: str) -> "Dataset":
    return load(root)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """An analysis in the list."""

    id: str
    title: str
    verdict: str
    pooled: bool


def _list(material: "Material") -> str:
    parts: dict[str, list[_Row]] = {name: [] for name in FAMILIES}
    for name, one in material.reproductions.items():
        run = one.run
        pooled = not isinstance(run.fit, NotApplicable)
        parts[family(run)].append(_Row(id=name, title=run.spec.title, verdict=verdict_line(run), pooled=pooled))
    order = list(PRIMARY)
    for rows in parts.values():
        rows.sort(key=lambda row: order.index(row.id) if row.id in order else len(order))
    return page(
        "analyses.html.j2",
        path="analyses/index.html",
        title="Analyses",
        description="Every analysis: the question, the pooled effect, the trials in it and those that are missing.",
        here="analyses",
        parts={name: (FAMILIES[name][0], rows) for name, rows in parts.items() if rows},
    )
