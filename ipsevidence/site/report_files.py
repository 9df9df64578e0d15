"""The report of an analysis as a page of the site, with its figures, tables, script and references beside it."""

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ipsevidence.analysis import resultfiles
from ipsevidence.analysis.across import VARIED
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP
from ipsevidence.report import citing
from ipsevidence.report.notebook import notebook
from ipsevidence.report.outline import Outline, outline
from ipsevidence.report.page import BRIEF, WHOLE, inputs_csv, spec_text, table_csv
from ipsevidence.report.page import material as gather
from ipsevidence.report.plain import markdown_report
from ipsevidence.report.r_script import r_script
from ipsevidence.report.sentences import verdict_line
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = ["FILES", "PRIMARY", "in_full", "report_files"]

PRIMARY: Final = ("primary", "primary-beyond-smi", *(f"primary-{key}" for key in ANALYSIS_GROUP))
"""Analyses of the primary question, in order."""

FILES: Final = {**WHOLE, **BRIEF}
"""Files beside the page, and what each holds; figures and tables are not among them."""


_WHOLE_ONLY: Final = frozenset(("report.docx", "report.md"))


def in_full(run: "AnalysisRun") -> bool:
    """Whether the files of an analysis hold its whole report: for Word, in Markdown, all figures, as PNG and PDF too.

    Those of the primary question, of published reviews, and of what is run by other choices do. Any other has its
    forest plot as SVG, and ``ipsevidence report`` makes the rest: drawn for all, that were two thirds of the site.
    """
    return run.spec.id in (*PRIMARY, *VARIED) or run.spec.purpose == "reproduction"


def report_files(reproduction: "Reproduction", dataset: "Dataset") -> dict[str, bytes]:
    """Return the page of an analysis and the files beside it, by name.

    Parameters
    ----------
    reproduction : Reproduction
        The analysis, run.
    dataset : Dataset
        Its records.

    Returns
    -------
    dict of str to bytes
        The page is ``index.html``.
    """
    run, full = reproduction.run, in_full(reproduction.run)
    suffixes = ("svg", "png", "pdf") if full else ("svg",)
    with tempfile.TemporaryDirectory() as folder:
        gathered = gather(reproduction, Path(folder), dataset, whole=full, suffixes=suffixes)
        found = {
            f"{key}.{suffix}": (Path(folder) / f"{key}.{suffix}").read_bytes()
            for key in gathered.pictures
            for suffix in suffixes
        }
    names = {name: what for name, what in FILES.items() if full or name not in _WHOLE_ONLY}
    gathered = dataclasses.replace(gathered, files=tuple(names.items()))
    report = outline(gathered)
    found |= _texts(dataset, reproduction, report, names)
    found["index.html"] = _page(dataset, run, report, suffixes).encode()
    return found


def _texts(
    dataset: "Dataset", reproduction: "Reproduction", report: Outline, names: dict[str, str]
) -> dict[str, bytes]:
    run = reproduction.run
    works = citing.works(run, dataset)
    texts: dict[str, str] = {
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

        found["report.md"] = markdown_report(report).encode()
        found["report.docx"] = word_report(report)
    return found


def _page(dataset: "Dataset", run: "AnalysisRun", report: Outline, suffixes: tuple[str, ...]) -> str:
    return page(
        "analysis.html.j2",
        path=f"analyses/{run.spec.id}/index.html",
        title=report.title,
        description=verdict_line(run),
        here="analyses",
        report=report,
        studies={row.label: row.id for row in run.rows if row.id in dataset},
        downloads=True,
        suffixes=suffixes,
    )
