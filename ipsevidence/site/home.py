"""The first page: of a hundred people how many more in work, how sure, and for whom nothing is known."""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from ipsevidence.analysis.absolutes import Absolutes
from ipsevidence.analysis.answer_words import in_work, more, with_absent
from ipsevidence.analysis.answers import EVERYONE
from ipsevidence.analysis.claimfiles import VERDICTS
from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.spec import RANDOMISED
from ipsevidence.dataset.overview import size
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, CERTAINTY
from ipsevidence.report.study_tables import risk_of_bias
from ipsevidence.site.schema_org import dataset_description
from ipsevidence.site.shell import page
from ipsevidence.site.strips import Scale, axis, strip

if TYPE_CHECKING:
    from ipsevidence.analysis.answers import Answer
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.site.material import Material

__all__ = ["PEOPLE", "Line", "files", "lines"]

PEOPLE: Final = Scale(low=-20, high=80, ticks=(-20, 0, 20, 40, 60, 80), null=0)
"""More people in work, of 100."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is known of one population, as shown: trials, the strip, the words, what is missing."""

    key: str
    label: str
    analysis: str
    trials: str
    drawing: Markup
    more: str
    without: str
    kind: str
    words: str
    known: bool
    eligible: bool


def files(material: "Material") -> dict[str, bytes]:
    """Make the first page."""
    found = material.answers[EVERYONE]
    text = page(
        "home.html.j2",
        path="index.html",
        title="IPS evidence: does supported employment by the IPS model help people into work?",
        description=(
            "What randomised trials of Individual Placement and Support show, how sure that is, and for whom nothing is"
            " known: every number beside its source."
        ),
        here="home",
        counts=_counts(material),
        answer=found,
        first=_first(found),
        lines=lines(material),
        axis=axis(PEOPLE),
        claims=_claims(material),
        dataset=material.dataset,
        shipped=material.reproductions.keys(),
        judged=_judged(found, material.dataset),
        about=dataset_description(material),
    )
    return {"index.html": text.encode()}


def _judged(found: "Answer", dataset: "Dataset") -> str:
    """Say what people have judged of the first estimate: risk of bias in its trials, certainty of its evidence."""
    biased = len(risk_of_bias(found.run, dataset).rows)
    trials = f"Risk of bias was judged in {biased} of them" if biased else "Nobody has judged the risk of bias yet"
    certainty = found.run.spec.certainty
    return f"{trials}." + (f" Certainty of the evidence: {CERTAINTY[certainty.rating].label}." if certainty else "")


def _counts(material: "Material") -> dict[str, int]:
    studies = list(material.dataset)
    trials = [study for study in studies if study.design.type in RANDOMISED and study.status == "included"]
    return {
        "records": len(studies),
        "trials": len(trials),
        "people": round(sum(size(study) or 0 for study in trials)),
        "countries": len({country.partition("-")[0] for study in studies for country in study.design.countries}),
        "wanted": sum(len(study.wanted) for study in studies),
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _First:
    """The headline: people of 100, the strips that say how sure it is, and the field of a hundred."""

    anyway: int
    extra: int
    outcome: str
    with_missing: str
    sure: tuple[tuple[str, str, Markup, str], ...]
    field: Markup


def _first(found: "Answer") -> _First | None:
    """Return the headline; None where the trials give none."""
    absolutes, coverage = found.absolutes, found.coverage
    if not isinstance(absolutes, Absolutes) or (one := absolutes.at(absolutes.middle)) is None:
        return None
    anyway, extra = one.people
    ci, ahead = one.difference_ci, one.difference_prediction
    sure = []
    if not ci.missing:
        drawing = strip(PEOPLE, value=100 * one.difference, ci=(100 * ci.low, 100 * ci.high))
        sure.append(("Average", more(100 * ci.low, 100 * ci.high), drawing, f"{100 * ci.level:g}% confidence interval"))
    if not ahead.missing:
        drawing = strip(PEOPLE, ahead=(100 * ahead.low, 100 * ahead.high))
        level = f"{100 * ahead.level:g}% prediction interval"
        sure.append(("A new service", more(100 * ahead.low, 100 * ahead.high), drawing, level))
    span = ""
    points = with_absent(found.run, coverage, absolutes.middle)
    if points and isinstance(coverage, Coverage):
        low, high = min(points.values()), max(points.values())
        # Two suppositions, and no bounds of anything: "or", not "to".
        span = f"{low} or {high} more" if 0 <= low < high else more(low, high)
        placed, absent = coverage.bounds[0].k - coverage.k, len(coverage.absent)
        why = f"If {placed} of the {absent} trials without a usable number were in it" + (
            f": {points['no-effect']} if they had no effect, {points['stated']} if each had what is stated of it"
            if len(points) > 1
            else ""
        )
        sure.append(("With the trials that are missing", span, strip(PEOPLE, points=points.values()), why))
    return _First(
        anyway=anyway,
        extra=extra,
        outcome=in_work(found.run.rows),
        with_missing=span,
        sure=tuple(sure),
        field=_field(anyway, extra),
    )


def _field(anyway: int, extra: int) -> Markup:
    """Draw a hundred people, row by row: in work anyway, in work with IPS as well, not in work."""
    across, step = 20, 16
    marks = []
    for place in range(100):
        x, y = step * (place % across) + step / 2, step * (place // across) + step / 2
        if place < anyway:
            marks.append(Markup('<circle class="anyway" cx="{:g}" cy="{:g}" r="5.5"/>').format(x, y))
        elif place < anyway + extra:
            marks.append(Markup('<rect class="extra" x="{:g}" y="{:g}" width="12" height="12"/>').format(x - 6, y - 6))
        else:
            marks.append(Markup('<circle class="rest" cx="{:g}" cy="{:g}" r="5"/>').format(x, y))
    return Markup('<svg class="field" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        across * step,
        100 // across * step,
        f"Of 100 people {anyway} are in work without IPS, {extra} more with it, {100 - anyway - extra} are not.",
        Markup("").join(marks),
    )


def lines(material: "Material") -> tuple[Line, ...]:
    """Return a line for all trials and for each population: pools first, then single trials, then what is not known."""
    found = [_line(name, answer) for name, answer in material.answers.items()]
    order = {"pool": 1, "common": 2, "trial": 3, "none": 4}
    return tuple(
        sorted(
            found,
            key=lambda one: (
                0 if one.key == EVERYONE else order[one.kind],
                not one.eligible,
                list(ANALYSIS_GROUP).index(one.key) if one.key in ANALYSIS_GROUP else 0,
            ),
        )
    )


def _line(name: str, found: "Answer") -> Line:
    absolutes, coverage, kind = found.absolutes, found.coverage, found.estimate.kind
    one = absolutes.at(absolutes.middle) if isinstance(absolutes, Absolutes) else None
    eligible = coverage.eligible if isinstance(coverage, Coverage) else found.k
    drawing, said, without = strip(PEOPLE), "", ""
    if one is not None and not one.difference_ci.missing:
        low, high = 100 * one.difference_ci.low, 100 * one.difference_ci.high
        ahead = one.difference_prediction
        drawing = strip(
            PEOPLE,
            value=100 * one.difference,
            ci=(low, high),
            ahead=None if ahead.missing else (100 * ahead.low, 100 * ahead.high),
            kind=kind,
        )
        anyway, extra = one.people
        said = f"{abs(extra)} {'more' if extra >= 0 else 'fewer'} ({more(low, high)})"
        without = f"{anyway} in work without IPS"
    return Line(
        key=name,
        label="All populations" if name == EVERYONE else found.label,
        analysis=found.run.spec.id,
        trials=f"{found.k} of {eligible}",
        drawing=drawing,
        more=said,
        without=without,
        kind=kind,
        words=_words(found, eligible),
        known=bool(said),
        eligible=eligible > 0,
    )


def _words(found: "Answer", eligible: int) -> str:
    if found.estimate.kind == "trial":
        return "One trial, not a pool."
    if found.estimate.kind == "common":
        return "Two trials: no random-effects mean."
    if found.estimate.kind == "pool":
        return f"Mean of {found.k} trials."
    if not eligible:
        return "Nothing is known: there is no trial."
    known = found.coverage.known if isinstance(found.coverage, Coverage) else math.nan
    people = "" if math.isnan(known) or not known else f", {known:,.0f} people"
    return f"Not known: {eligible} {'trial' if eligible == 1 else 'trials'}{people}, and no usable number."


def _claims(material: "Material") -> Iterator[tuple[str, str, int]]:
    counted = Counter(claim["verdict"] for claim in material.claims.values())
    for verdict, meaning in VERDICTS.items():
        if material.claims:
            yield verdict.replace("-", " "), meaning, counted[verdict]
