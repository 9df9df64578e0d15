"""The studies: a list to filter and sort, and a page for each with every number beside its source."""

import dataclasses
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from ipsevidence.core import NotApplicable
from ipsevidence.dataset import vocabulary as terms
from ipsevidence.dataset.overview import NO_COUNTS, best_basis, evidence_map, size
from ipsevidence.figures.map_plot import COLUMNS
from ipsevidence.figures.numbers import EN_DASH, MINUS
from ipsevidence.report.tables import numerals, shown_interval
from ipsevidence.site.schema_org import articles, web_address
from ipsevidence.site.shell import page
from ipsevidence.site.strips import Scale, axis, strip

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.record import Number, Study
    from ipsevidence.site.material import Material

__all__ = ["RATIOS", "comparators", "files"]

RATIOS: Final = Scale(low=0.25, high=16, ticks=(0.25, 0.5, 1, 2, 4, 8, 16), null=1, log=True)
"""Ratios, on a logarithmic axis."""

_POOLS: Final = ("primary", "any-vocational-outcome")
"""Analyses that a trial is set against, the first that it is in."""

NO_COMPARISON: Final = "none"


def files(material: "Material") -> dict[str, bytes]:
    """Make the list of studies, a page for each, and the record of each as it stands in the dataset."""
    found = {"studies/index.html": _list(material)}
    against = comparators(material)
    for study in material.dataset:
        found[f"studies/{study.id}.html"] = _page(material, study, against[study.id])
    pages = {path: text.encode() for path, text in found.items()}
    root = material.dataset.root
    return pages | {
        f"studies/{name}.yaml": (root / entry.file).read_bytes() for name, entry in material.dataset.entries.items()
    }


def comparators(material: "Material") -> dict[str, tuple[str, ...]]:
    """Return what each study compares with, as on the evidence map: keys of TREATMENT, or ``none``."""
    found: dict[str, list[str]] = {study.id: [] for study in material.dataset}
    for cell in evidence_map(material.dataset):
        for name in cell.studies:
            found[name].append(cell.comparator)
    return {name: tuple(keys) for name, keys in found.items()}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A study in the list: what is shown, and the keys by which it is filtered."""

    id: str
    label: str
    title: str
    year: int | None
    population: str
    design: str
    countries: tuple[str, ...]
    comparators: tuple[str, ...]
    kinds: tuple[str, ...]
    size: float | None
    basis: str
    status: str
    tags: tuple[str, ...]


def _list(material: "Material") -> str:
    against = comparators(material)
    rows = [
        _Row(
            id=study.id,
            label=study.label,
            title=study.title or study.population.description,
            year=study.reports[0].year,
            population=study.population.analysis_group,
            design=study.design.type,
            countries=study.design.countries,
            comparators=against[study.id],
            kinds=tuple(key for key, (_, keys) in COLUMNS.items() if set(keys) & set(against[study.id])),
            size=size(study),
            basis=best_basis(study) if len(study.arms) > 1 else "",
            status=study.status,
            tags=study.population.tags,
        )
        for study in material.dataset
    ]
    return page(
        "studies.html.j2",
        path="studies/index.html",
        title="Studies",
        description=f"All {len(rows)} studies and services of the dataset, to search, filter and sort.",
        here="studies",
        scripts=("tables.js",),
        rows=rows,
        filters=_filters(rows),
        terms=terms,
        treatment=treatment_labels(),
        no_counts=NO_COUNTS,
    )


def treatment_labels() -> dict[str, str]:
    """Return the labels of what a study compares with, by key."""
    return {key: term.label for key, term in terms.TREATMENT.items()} | {NO_COMPARISON: "no comparison"}


def _filters(rows: list[_Row]) -> list[tuple[str, str, list[tuple[str, str, int]]]]:
    """Return the filters: key, label, and each value that occurs with its label and how many studies have it."""
    tags = sorted({tag for row in rows for tag in row.tags})
    bases = {key: term.label for key, term in terms.BASIS.items()} | {NO_COUNTS: "none in two arms"}
    sides: list[tuple[str, str, dict[str, str], Any]] = [
        ("population", "Population", _labels(terms.ANALYSIS_GROUP), lambda row: (row.population,)),
        ("tag", "Tag", {tag: tag.replace("-", " ") for tag in tags}, lambda row: row.tags),
        ("design", "Design", _labels(terms.DESIGN), lambda row: (row.design,)),
        ("comparator", "Compared with", {key: label for key, (label, _) in COLUMNS.items()}, lambda row: row.kinds),
        ("country", "Country", _labels(terms.COUNTRY), lambda row: row.countries),
        ("basis", "Counts", bases, lambda row: (row.basis,)),
        ("status", "Status", _labels(terms.STATUS), lambda row: (row.status,)),
    ]
    found = []
    for key, label, labels, values in sides:
        counted = [(value, name, sum(value in values(row) for row in rows)) for value, name in labels.items()]
        found.append((key, label, [one for one in counted if one[2]]))
    return found


def _labels(vocabulary: dict[str, terms.Term]) -> dict[str, str]:
    return {key: term.label for key, term in vocabulary.items()}


def _page(material: "Material", study: "Study", against: tuple[str, ...]) -> str:
    return page(
        "study.html.j2",
        path=f"studies/{study.id}.html",
        title=study.label,
        description=f"{study.title or study.population.description}: every number with its source.",
        here="studies",
        study=study,
        against=against,
        size=size(study),
        terms=terms,
        treatment=treatment_labels(),
        place=_place(material, study),
        uses=material.uses.get(study.id, []),
        arms={arm.id: arm.label for arm in study.arms},
        reports={report.id: report for report in study.reports},
        numeral=numeral,
        value=value_of,
        printed=_printed,
        web=web_address,
        about=articles(study),
        others=material.dataset,
    )


def numeral(value: Decimal | None) -> str:
    """Write a number of a record with its digits as typed and a true minus; an en dash where there is none."""
    return EN_DASH if value is None else f"{value:f}".replace("-", MINUS)


def value_of(number: "Number | None") -> str:
    """Write a number of a record, or its range; nothing where there is none."""
    if number is None:
        return ""
    if number.value is not None:
        return numeral(number.value)
    return f"{numeral(number.low)}{EN_DASH}{numeral(number.high)}"


def _printed(number: "Number") -> str:
    """Say how a number came from what is printed."""
    inputs = [
        f"{one.what or 'input'} {numeral(one.value)} ({one.from_}{', ' + one.at if one.at else ''})"
        for one in number.inputs
    ]
    parts = (
        f"printed {number.as_printed}" if number.as_printed else "",
        "the only whole number that gives it" if number.rule == "percent-of-n" else number.rule or "",
        number.qualifier or "",
        *inputs,
    )
    return "; ".join(part for part in parts if part)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A trial set against the pool that it is in."""

    analysis: str
    title: str
    rows: tuple[tuple[str, str, Markup], ...]
    axis: Markup
    measure: str


def _place(material: "Material", study: "Study") -> _Place | None:
    """Return the effect of a study beside the pool of the first analysis that it is in; None where it is in none."""
    for name in _POOLS:
        if name in material.reproductions:
            run = material.reproductions[name].run
            at = next((at for at, row in enumerate(run.rows) if row.id == study.id), None)
            if at is not None and run.measure.scale == "log":
                return _against(run, at)
    return None


def _against(run: "AnalysisRun", at: int) -> _Place:
    key, write = run.measure.key, numerals(run.measure.key)
    value, (low, high) = run.shown(run.y[at]), map(run.shown, run.intervals[at])
    said = f"{write.effect(value)} ({write.range(low, high)})"
    rows = [(run.rows[at].label, said, strip(RATIOS, value=value, ci=(low, high), kind="trial"))]
    fit = run.fit
    if not isinstance(fit, NotApplicable) and not math.isnan(fit.estimate):
        ends = None if fit.ci.missing else (run.shown(fit.ci.low), run.shown(fit.ci.high))
        ahead = None if fit.prediction.missing else (run.shown(fit.prediction.low), run.shown(fit.prediction.high))
        said = write.effect(run.shown(fit.estimate)) + (f" ({shown_interval(key, fit.ci)})" if ends else "")
        drawing = strip(RATIOS, value=run.shown(fit.estimate), ci=ends, ahead=ahead)
        rows.append((f"Mean of {fit.k} trials, this one among them", said, drawing))
    return _Place(
        analysis=run.spec.id, title=run.spec.title, rows=tuple(rows), axis=axis(RATIOS), measure=run.measure.label
    )
