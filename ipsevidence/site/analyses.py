"""The analyses: a list by question, and for each its report as a page with its files beside it."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ipsevidence.analysis import resultfiles
from ipsevidence.core import NotApplicable
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP
from ipsevidence.report import citing
from ipsevidence.report.notebook import notebook
from ipsevidence.report.outline import Material as Gathered
from ipsevidence.report.outline import Outline, outline
from ipsevidence.report.page import inputs_csv, spec_text, table_csv
from ipsevidence.report.page import material as gather
from ipsevidence.report.plain import markdown_report
from ipsevidence.report.r_script import r_script
from ipsevidence.report.sentences import verdict_line
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.site.material import Material

__all__ = ["FAMILIES", "family", "files", "in_full"]

_PRIMARY: Final = frozenset(("primary", "primary-beyond-smi", *(f"primary-{key}" for key in ANALYSIS_GROUP)))

FAMILIES: Final[dict[str, tuple[str, Callable[["AnalysisRun"], bool]]]] = {
    "The primary question, by population": (
        "Any competitive job at the time nearest 18 months within 12 to 24; plain or adapted IPS; randomised trials.",
        lambda run: run.spec.id in _PRIMARY,
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

_FILES: Final = {
    "report.docx": "the report for Word",
    "report.md": "the report in Markdown",
    "analysis.R": "R: metafor repeats the main result",
    "analysis.ipynb": "the same in Python, as a Jupyter notebook",
    "spec.yaml": "the analysis as resolved, ready to be run",
    "references.bib": "references: BibTeX",
    "references.ris": "references: RIS",
    "references.json": "references: CSL-JSON",
    "results.json": "every number, with the analysis as resolved",
    "inputs.csv": "one line a study",
}


def in_full(run: "AnalysisRun") -> bool:
    """Whether the files of an analysis hold also its report for Word and its figures as PNG and PDF.

    Those of the primary question and of published reviews do. For any other analysis ``ipsevidence report`` makes them:
    drawn for all, they would be two thirds of the site.
    """
    return run.spec.id in _PRIMARY or run.spec.purpose == "reproduction"


def family(run: "AnalysisRun") -> str:
    """Return the part of the list that an analysis stands in."""
    return next(name for name, (_, belongs) in FAMILIES.items() if belongs(run))


def files(material: "Material") -> dict[str, bytes]:
    """Make the list of analyses, and for each its page and its files."""
    found = {"analyses/index.html": _list(material).encode()}
    for name, reproduction in material.reproductions.items():
        found |= {f"analyses/{name}/{file}": content for file, content in _folder(material, reproduction).items()}
    return found


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
    order = ["primary", "primary-beyond-smi", *(f"primary-{key}" for key in ANALYSIS_GROUP)]
    for rows in parts.values():
        rows.sort(key=lambda row: order.index(row.id) if row.id in order else len(order))
    return page(
        "analyses.html.j2",
        path="analyses/index.html",
        title="Analyses",
        description="Every analysis of the dataset: the question, the pooled effect, the trials in it and those missing.",
        here="analyses",
        parts={name: (FAMILIES[name][0], rows) for name, rows in parts.items() if rows},
    )


def _folder(material: "Material", reproduction: "Reproduction") -> dict[str, bytes]:
    """Return the page of an analysis and the files beside it."""
    run, full = reproduction.run, in_full(reproduction.run)
    suffixes = ("svg", "png", "pdf") if full else ("svg",)
    with tempfile.TemporaryDirectory() as folder:
        gathered = gather(reproduction, Path(folder), material.dataset, whole=True, suffixes=suffixes)
        found = {
            f"{key}.{suffix}": (Path(folder) / f"{key}.{suffix}").read_bytes()
            for key in gathered.pictures
            for suffix in suffixes
        }
    names = {name: what for name, what in _FILES.items() if full or name != "report.docx"}
    gathered = dataclasses.replace(gathered, files=tuple(names.items()))
    report = outline(gathered)
    found |= _texts(material, reproduction, gathered, report, names)
    found["index.html"] = _page(material, run, report, suffixes).encode()
    return found


def _texts(
    material: "Material", reproduction: "Reproduction", gathered: Gathered, report: Outline, names: dict[str, str]
) -> dict[str, bytes]:
    run = reproduction.run
    works = citing.works(run, material.dataset)
    texts: dict[str, str] = {
        "report.md": markdown_report(report),
        "analysis.R": r_script(run),
        "analysis.ipynb": notebook(run),
        "spec.yaml": spec_text(run.spec),
        "results.json": resultfiles.text(resultfiles.plain(reproduction)),
        "inputs.csv": inputs_csv(run),
        **{name: write(works) for name, write in citing.FORMATS.items()},
        **{f"tables/{grid.key}.csv": table_csv(grid.table) for grid in report.grids},
    }
    found = {name: text.encode() for name, text in texts.items()}
    if "report.docx" in names:
        from ipsevidence.report.word import word_report  # loads python-docx

        found["report.docx"] = word_report(report)
    return found


def _page(material: "Material", run: "AnalysisRun", report: Outline, suffixes: tuple[str, ...]) -> str:
    return page(
        "analysis.html.j2",
        path=f"analyses/{run.spec.id}/index.html",
        title=report.title,
        description=verdict_line(run),
        here="analyses",
        report=report,
        studies={row.label: row.id for row in run.rows if row.id in material.dataset},
        downloads=True,
        suffixes=suffixes,
    )
