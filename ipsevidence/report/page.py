"""The report of an analysis: one self-contained page, its figures, its numbers and its inputs, in one folder."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2
from markupsafe import Markup

from ipsevidence.analysis import resultfiles
from ipsevidence.core import NotApplicable, PooledResult
from ipsevidence.dataset.export import safe_cell
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.dataset.vocabulary import BASIS
from ipsevidence.figures import alternative_text, figure, save
from ipsevidence.report import evidence_tables, sentences, tables

if TYPE_CHECKING:
    from ipsevidence.analysis.examining import Examined
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["PLOTS", "inputs_csv", "write_report"]

PLOTS: Final = ("forest.svg", "forest.png", "forest.pdf")
"""The files of the forest plot."""


def write_report(reproduction: "Reproduction", folder: Path) -> tuple[Path, ...]:
    """Write report.html, results.json, inputs.csv and, where there is a pool, forest.svg, forest.png and forest.pdf.

    Parameters
    ----------
    reproduction : Reproduction
        The run and its verdicts.
    folder : Path
        Where the files go; made if it is not there. Each file is replaced whole or not at all; the forest plot of an
        earlier report goes where there is none now.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    OSError
        If a file cannot be written; it names the file.
    """
    analysis = reproduction.run
    folder.mkdir(parents=True, exist_ok=True)
    plots = tuple(folder / name for name in PLOTS)
    svg = words = ""
    if isinstance(analysis.fit, PooledResult):
        forest = figure("forest", analysis)
        for path in plots:
            save(forest, path)
        svg, words = plots[0].read_text(encoding="utf-8"), alternative_text(forest)
    else:
        for path in plots:
            path.unlink(missing_ok=True)
    texts = {
        "results.json": resultfiles.text(resultfiles.plain(reproduction)),
        "inputs.csv": inputs_csv(analysis),
        "report.html": _page(reproduction, svg, words),
    }
    for name, text in texts.items():
        _put(folder / name, text)
    return (*(plots if svg else ()), *(folder / name for name in texts))


def _put(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def inputs_csv(analysis: "AnalysisRun") -> str:
    """Return one line a study: counts, effect, variance, weight, basis, and what its outcome is."""
    extra = list(dict.fromkeys(key for row in analysis.rows for key in row.extra))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["study", "group", "ai", "n1i", "ci", "n2i", "yi", "vi", "weight", "basis", "participants", *extra])
    weights = analysis.fit.weights if isinstance(analysis.fit, PooledResult) else [float("nan")] * len(analysis.rows)
    for row, y, v, weight in zip(analysis.rows, analysis.y, analysis.v, weights, strict=True):
        c = row.counts
        cells = [c.events1, c.n1, c.events2, c.n2] if c else [""] * 4
        line = [row.label, row.group, *cells, y, v, float(weight), row.basis, row.participants]
        writer.writerow([_cell(value) for value in [*line, *(row.extra.get(key, "") for key in extra)]])
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(safe_cell(str(value)))


def _page(reproduction: "Reproduction", svg: str, words: str) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ipsevidence.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    analysis = reproduction.run
    sides = _sides(reproduction.examined)
    # The drawing is ours: every text in it was escaped when it was written.
    drawing = Markup(svg[svg.find("<svg") :])  # noqa: S704
    return environment.get_template("report.html.j2").render(
        spec=analysis.spec,
        run=analysis,
        verdict_line=sentences.verdict_line(analysis),
        beside_line=sentences.beside_line(analysis),
        plain_words=sentences.plain_words(analysis),
        forest=drawing,
        forest_text=words,
        plots=PLOTS if svg else (),
        verdicts=tables.verdicts(reproduction) if reproduction.verdicts else None,
        tables=tables,
        evidence=evidence_tables,
        examined=reproduction.examined,
        **sides,
        methods=sentences.methods(analysis),
        data_notes=list(_data_notes(analysis)),
        references=sentences.references(analysis),
        stamp=sentences.stamp(analysis),
    )


def _sides(examined: "Examined | None") -> dict[str, Any]:
    """Return the sides of an analysis that apply to it; None for each that does not."""
    names = ("coverage", "absolutes", "readings", "missing", "unlocks")
    found = {name: getattr(examined, name, None) for name in names}
    return {name: None if isinstance(side, NotApplicable) else side for name, side in found.items()}


def _data_notes(analysis: "AnalysisRun") -> Iterator[str]:
    for basis, term in BASIS.items():
        names = [row.label for row in analysis.rows if row.basis == basis]
        if names:
            yield f"{term.label.capitalize()} ({len(names)}): {', '.join(names)}. {term.definition}"
