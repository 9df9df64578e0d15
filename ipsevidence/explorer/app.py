"""The explorer with the whole engine: every choice is run when it is made. Needs the extra ``explorer``."""

import base64
import dataclasses
import io
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shiny import App, Inputs, Outputs, Session, reactive, render, ui

from ipsevidence.analysis.absolutes import Absolutes
from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.exploring import Choice, Explored, Pool, explore
from ipsevidence.analysis.selection import SelectionError
from ipsevidence.core import InputError
from ipsevidence.explorer.cells import few_words
from ipsevidence.explorer.options import all_selects
from ipsevidence.figures import alternative_text, figure
from ipsevidence.report import tables
from ipsevidence.report.evidence_tables import absolutes as absolutes_table
from ipsevidence.report.page import spec_text
from ipsevidence.report.sentences import stamp, verdict_line

if TYPE_CHECKING:
    from htmltools import Tag

    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.report.table import Table

__all__ = ["application"]

_STYLE: Final = Path(__file__).parent / "assets" / "app.css"


def application(dataset: "Dataset") -> App:
    """Return the explorer as a Shiny application.

    Parameters
    ----------
    dataset : Dataset
        The records and the analyses that ship with them.

    Returns
    -------
    shiny.App
        To be run on this machine; all text of records is escaped.
    """

    def server(given: Inputs, output: Outputs, _session: Session) -> None:
        _serve(dataset, given, output)

    return App(_page(dataset), server)


def _page(dataset: "Dataset") -> "Tag":
    return ui.page_sidebar(
        ui.sidebar(*_controls(dataset), width=330, open={"desktop": "open", "mobile": "always-above"}),
        ui.include_css(_STYLE, method="link"),
        ui.head_content(ui.tags.link(rel="icon", href="data:,")),
        ui.div(ui.output_ui("result"), aria_live="polite", role="status"),
        ui.output_ui("plot"),
        ui.output_ui("around"),
        ui.accordion(
            ui.accordion_panel("Trials in, and why in this way", ui.output_ui("inside"), value="inside"),
            ui.accordion_panel("Studies out, and why", ui.output_ui("outside"), value="outside"),
            ui.accordion_panel("The analysis as a file", ui.output_ui("spec"), value="file"),
            open=False,
            multiple=True,
        ),
        title=ui.h1("IPS evidence: explorer"),
        window_title="Explorer \u00b7 IPS evidence",
        lang="en",
    )


def _controls(dataset: "Dataset") -> Iterator["Tag"]:
    for one in all_selects(dataset):
        yield ui.input_select(one.key, one.label, dict(one.options), selected=one.usual)


def _serve(dataset: "Dataset", given: Inputs, output: Outputs) -> None:
    """Wire the choices to what they give."""

    @reactive.calc
    def found() -> Pool | str:
        """Return the pool, or in a sentence why there is none."""
        choice = Choice(**{field.name: str(given[field.name]()) for field in dataclasses.fields(Choice)})
        try:
            return explore(choice, dataset)
        except (InputError, SelectionError) as error:
            return f"{error}."

    def view(name: str, part: Callable[[Pool], Iterator["Tag"]]) -> None:
        def shown() -> Any:
            pool = found()
            if isinstance(pool, str):
                return ui.p(pool, class_="verdict", id="verdict") if name == "result" else None
            return ui.TagList(*part(pool))

        output(id=name)(render.ui(shown))

    for name, part in _PARTS.items():
        view(name, part)


def _chosen(pool: Pool) -> Explored | None:
    """Return the model that was chosen; None where these trials are not pooled."""
    return pool.cells[0] if pool.cells else None


def _result(pool: Pool) -> Iterator["Tag"]:
    cell = _chosen(pool)
    yield ui.h2(pool.run.spec.title)
    if cell is None:
        yield ui.p(few_words(pool), class_="verdict", id="verdict")
        if pool.run.rows:
            yield ui.p(pool.sentence)
    elif cell.why:
        yield ui.p(f"Not pooled: {cell.why}.", class_="verdict", id="verdict")
    else:
        yield ui.p(verdict_line(cell.run), class_="verdict", id="verdict")
        yield ui.p(cell.sentence)
    if isinstance(pool.coverage, Coverage):
        yield ui.p(f"In the pool: {pool.coverage.sentence}.", class_="soft")


def _plot(pool: Pool) -> Iterator["Tag"]:
    cell = _chosen(pool)
    if not pool.run.rows:
        return
    drawn = figure("forest", cell.run if cell and not cell.why else pool.run)
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="svg")
    # As an image nothing in it can run, whatever a record says.
    source = f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    picture = ui.img(src=source, alt=alternative_text(drawn), class_="forest")
    yield ui.div(picture, class_="scroll", tabindex="0", role="region", aria_label="Forest plot")


def _around(pool: Pool) -> Iterator["Tag"]:
    cell = _chosen(pool)
    run = cell.run if cell else pool.run
    composite = [run.spec.outcome.composite] if run.spec.outcome.composite else []
    said = dict.fromkeys((*composite, *pool.caveats, *run.notes))
    yield ui.h3("What to know about these numbers")
    yield ui.tags.ul(*(ui.tags.li(text) for text in said))
    absolutes = cell.absolutes if cell else pool.absolutes
    if isinstance(absolutes, Absolutes):
        yield _table(absolutes_table(absolutes))
    if run.rows:
        yield ui.p(f"{stamp(run)}.", class_="soft small")


def _inside(pool: Pool) -> Iterator["Tag"]:
    cell = _chosen(pool)
    run = cell.run if cell else pool.run
    yield _table(tables.inputs(run))
    yield _table(tables.decisions(run, included=True))


def _outside(pool: Pool) -> Iterator["Tag"]:
    yield _table(tables.left_out(pool.run))


def _spec(pool: Pool) -> Iterator["Tag"]:
    cell = _chosen(pool)
    kept = cell.spec if cell else pool.run.spec
    if kept is None:
        yield ui.p("There is no such analysis.")
        return
    text, name = spec_text(kept), f"{kept.id}.yaml"
    command = ui.code(f"ipsevidence run {name}")
    yield ui.p("Saved as ", ui.code(name), ", ", command, " gives these numbers to the last digit stored.")
    source = f"data:application/yaml;charset=utf-8,{urllib.parse.quote(text)}"
    yield ui.p(ui.a("Download", href=source, download=name, class_="btn btn-default"))
    yield ui.pre(text, tabindex="0", role="region", aria_label="The analysis as a file")


_PARTS: Final[dict[str, Callable[[Pool], Iterator["Tag"]]]] = {
    "result": _result,
    "plot": _plot,
    "around": _around,
    "inside": _inside,
    "outside": _outside,
    "spec": _spec,
}
"""The parts of the page by the name of their place."""


def _table(content: "Table") -> "Tag":
    tags = ui.tags
    numbers = [column.number for column in content.columns]
    heads = [tags.th(column.heading, scope="col", class_="n" if column.number else None) for column in content.columns]
    rows = [
        tags.tr(*(tags.td(text, class_="n" if number else None) for text, number in zip(row, numbers, strict=True)))
        for row in content.rows
    ]
    notes = [ui.p(note, class_="soft small") for note in content.notes]
    table = tags.table(tags.caption(content.title), tags.thead(tags.tr(*heads)), tags.tbody(*rows))
    return ui.div(ui.div(table, class_="scroll", tabindex="0", role="region", aria_label=content.title), *notes)
