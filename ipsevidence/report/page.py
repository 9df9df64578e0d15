"""The report of an analysis in one folder: its page, its figures, its numbers and its inputs; on request all of it."""

import base64
import contextlib
import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2

from ipsevidence.analysis import resultfiles
from ipsevidence.analysis.across import VARIED
from ipsevidence.analysis.multiverse import estimator_choices
from ipsevidence.analysis.spec import Spec
from ipsevidence.core import InputError, NotApplicable, PooledResult
from ipsevidence.dataset.export import safe_cell
from ipsevidence.dataset.reader import parse
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.dataset.writer import canonical
from ipsevidence.figures import FIGURES, alternative_text, figure, save
from ipsevidence.report import citing
from ipsevidence.report.notebook import notebook
from ipsevidence.report.outline import PICTURES, Material, Outline, Picture, outline
from ipsevidence.report.plain import markdown_report
from ipsevidence.report.r_script import r_script
from ipsevidence.report.table import Table

if TYPE_CHECKING:
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = [
    "GRIDS",
    "PLOTS",
    "html_report",
    "inputs_csv",
    "material",
    "shown_width",
    "spec_text",
    "table_csv",
    "write_report",
]

PLOTS: Final = ("forest.svg", "forest.png", "forest.pdf")
"""The files of the forest plot."""

_SUFFIXES: Final = ("svg", "png", "pdf")
_FEWEST_FOR_FUNNEL: Final = 10
_LARGER: Final = 1.45
"""Pixels of a screen for each point of a printed figure; 4/3 would be its printed size."""
_OPTIONS: Final[dict[str, dict[str, bool]]] = {"icons": {"wide": True}, "funnel": {"wide": True}}
WHOLE: Final = {
    "report.docx": "the report for Word",
    "report.md": "the report in Markdown",
    "analysis.R": "R: metafor repeats the main result",
    "analysis.ipynb": "the same in Python, as a Jupyter notebook",
    "spec.yaml": "the analysis as resolved, ready to be run",
    "references.bib": "references: BibTeX",
    "references.ris": "references: RIS",
    "references.json": "references: CSL-JSON",
}
"""Files of a whole report beside its page, its figures and its tables, and what each holds."""

BRIEF: Final = {
    "results.json": "every number, with the analysis as resolved",
    "inputs.csv": "one line a study",
}
"""Files of any report beside its page and its forest plot, and what each holds."""

GRIDS: Final = (
    "absent",
    "absolutes",
    "bounds",
    "certainty",
    "characteristics",
    "choices",
    "conduct",
    "contrasts",
    "data-notes",
    "groups",
    "heterogeneity",
    "inputs",
    "missing",
    "moderators",
    "outcomes",
    "participants",
    "prisma",
    "readings",
    "risk-of-bias",
    "sensitivity",
    "small-studies",
    "studies-in",
    "studies-out",
    "summary",
    "verdicts",
    "wanted",
)
"""Keys of all tables that a report can have."""


def write_report(
    reproduction: "Reproduction", folder: Path, dataset: "Dataset | None" = None, *, whole: bool = False
) -> tuple[Path, ...]:
    """Write report.html, results.json, inputs.csv and, where there is a pool, the forest plot; on request all else.

    Parameters
    ----------
    reproduction : Reproduction
        The run and its verdicts.
    folder : Path
        Where the files go; made if it is not there. Each file is replaced whole or not at all; what an earlier report
        left there, and this one has not, goes.
    dataset : Dataset, optional
        The records of the run; without them the report has nothing that stands only there.
    whole : bool
        Whether to write also the report for Word and in Markdown, an R script, a notebook, the resolved spec,
        references for reference managers, a CSV of each table, and further figures.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    OSError
        If a file cannot be written; it names the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = material(reproduction, folder, dataset, whole=whole)
    report = outline(made)
    texts: dict[str, str | bytes] = {
        "results.json": resultfiles.text(resultfiles.plain(reproduction)),
        "inputs.csv": inputs_csv(reproduction.run),
        "report.html": html_report(report, downloads=whole),
    }
    if whole:
        texts |= _further(reproduction.run, dataset, report)
    written = [f"{key}.{suffix}" for key in made.pictures for suffix in _SUFFIXES]
    for name, text in texts.items():
        _put(folder / name, text)
    _remove_others(folder, {*written, *texts})
    return tuple(folder / name for name in (*written, *texts))


def material(
    reproduction: "Reproduction",
    folder: Path,
    dataset: "Dataset | None" = None,
    *,
    whole: bool = False,
    suffixes: Sequence[str] = _SUFFIXES,
) -> Material:
    """Gather what a report is made from, and draw its figures into a folder.

    Parameters
    ----------
    reproduction, folder, dataset, whole
        As in `write_report`.
    suffixes : sequence of str
        The files of each figure; ``svg`` must be among them, and a report for Word needs ``png``.

    Returns
    -------
    Material
    """
    analysis = reproduction.run
    keys = tuple(PICTURES) if whole else ("forest",)
    found = {key: one for key in keys if (one := _picture(key, reproduction, dataset, folder, suffixes)) is not None}
    files = dict(BRIEF)
    if whole:
        files = {name: what for name, what in WHOLE.items() if name != "spec.yaml" or analysis.data} | files
    choices = estimator_choices(analysis) if whole and analysis.spec.id in VARIED else None
    return Material(
        reproduction=reproduction,
        dataset=dataset,
        pictures=found,
        choices=None if isinstance(choices, NotApplicable) else choices,
        files=tuple(files.items()),
    )


def _picture(
    key: str, reproduction: "Reproduction", dataset: "Dataset | None", folder: Path, suffixes: Sequence[str]
) -> Picture | None:
    """Draw a figure and write its files; None where it does not apply."""
    analysis = reproduction.run
    if not isinstance(analysis.fit, PooledResult) or (dataset is None and "dataset" in FIGURES[key].needs):
        return None
    if key == "funnel" and len(analysis.rows) < _FEWEST_FOR_FUNNEL:
        return None
    try:
        drawn = figure(key, analysis, dataset, **_OPTIONS.get(key, {}))
    except InputError:
        if key == "forest":
            raise
        return None  # what the figure shows does not apply to this analysis; its section says why
    for suffix in suffixes:
        save(drawn, folder / f"{key}.{suffix}")
    return Picture(
        key=key,
        title=getattr(drawn, "title", "") or FIGURES[key].label,
        words=alternative_text(drawn),
        svg=(folder / f"{key}.svg").read_text(encoding="utf-8"),
        png=(folder / f"{key}.png").read_bytes() if "png" in suffixes else b"",
    )


def _further(analysis: "AnalysisRun", dataset: "Dataset | None", report: Outline) -> dict[str, str | bytes]:
    from ipsevidence.report.word import word_report  # loads python-docx

    found = citing.works(analysis, dataset)
    texts: dict[str, str | bytes] = {
        "report.docx": word_report(report),
        "report.md": markdown_report(report),
        "analysis.R": r_script(analysis),
        "analysis.ipynb": notebook(analysis),
        **({"spec.yaml": spec_text(analysis.spec)} if analysis.data else {}),
        **{name: write(found) for name, write in citing.FORMATS.items()},
    }
    return texts | {f"tables/{grid.key}.csv": table_csv(grid.table) for grid in report.grids}


def _put(path: Path, text: str | bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def _remove_others(folder: Path, written: set[str]) -> None:
    """Remove the files of an earlier report that this one does not have, and no file of anybody else's."""
    ours = {*WHOLE, *(f"{key}.{suffix}" for key in PICTURES for suffix in _SUFFIXES)}
    ours |= {f"tables/{key}.csv" for key in GRIDS}
    for name in ours - written:
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (folder / "tables").rmdir()  # only where it is empty


def inputs_csv(analysis: "AnalysisRun") -> str:
    """Return one line a study: counts or printed effect, effect, variance, weight, basis, and what its outcome is."""
    extra = list(dict.fromkeys(key for row in analysis.rows for key in row.extra))
    shares = any(row.share for row in analysis.rows)
    printed = any(not math.isnan(row.estimate) for row in analysis.rows)
    heads = ["study", "group", "ai", "n1i", "ci", "n2i", *(["xi", "ni"] if shares else [])]
    heads += ["estimate", "low", "high", "level"] if printed else []
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*heads, "yi", "vi", "weight", "basis", "participants", *extra])
    weights = analysis.fit.weights if isinstance(analysis.fit, PooledResult) else [math.nan] * len(analysis.rows)
    for row, y, v, weight in zip(analysis.rows, analysis.y, analysis.v, weights, strict=True):
        c = row.counts
        line: list[Any] = [row.label, row.group, *([c.events1, c.n1, c.events2, c.n2] if c else [""] * 4)]
        if shares:
            line += [row.share.events, row.share.n] if row.share else ["", ""]
        if printed:
            level = "" if math.isnan(row.estimate) else row.level
            line += [row.estimate, row.low, row.high, level]
        line += [y, v, float(weight), row.basis, row.participants]
        writer.writerow([_cell(value) for value in [*line, *(row.extra.get(key, "") for key in extra)]])
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.12g}"
    return str(safe_cell(str(value)))


def table_csv(table: Table) -> str:
    """Write a table of the report as CSV: cells as they are shown, none of which a spreadsheet will run."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([safe_cell(column.heading) for column in table.columns])
    writer.writerows([safe_cell(text) for text in row] for row in table.rows)
    return buffer.getvalue()


def spec_text(spec: Spec) -> str:
    """Write an analysis as resolved: a spec file, in canonical form, that gives the same analysis again."""
    return canonical(parse(_json(spec.resolved()).encode(), file=f"{spec.id}.yaml"), Spec)


def _json(value: Any) -> str:
    """Write plain data as JSON with every decimal as it was typed."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_json, value)) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(value, ensure_ascii=False)


def html_report(report: Outline, *, downloads: bool = False) -> str:
    """Write the report as one page that needs no other file and runs nothing.

    Parameters
    ----------
    report : Outline
        The report.
    downloads : bool
        Whether each table has a link to its CSV file in ``tables/``.

    Returns
    -------
    str
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ipsevidence.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = lambda block: type(block).__name__
    environment.filters["source"] = _source
    environment.filters["width"] = shown_width
    return environment.get_template("report.html.j2").render(report=report, downloads=downloads, suffixes=_SUFFIXES)


def _source(picture: Picture) -> str:
    """Return a figure as the address of an image: so that two figures on a page share neither ids nor fonts."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.svg.encode()).decode()}"


def shown_width(picture: Picture) -> str:
    """Return how wide a figure is shown at most, in pixels: a little wider than it is printed."""
    found = re.search(r'<svg [^>]*?\bwidth="([0-9.]+)pt"', picture.svg)
    return f"{float(found[1]) * _LARGER:.0f}" if found else "100%"
