"""The page of employment rates of services and single groups, by kind, as the records have them."""

import math
from collections.abc import Iterator
from typing import Final

from ipsevidence.analysis.claimfiles import claim_files, find_claim
from ipsevidence.analysis.service_rates import ServiceRate, service_rates
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, CONCEPT, TREATMENT
from ipsevidence.figures.numbers import EN_DASH, Numerals
from ipsevidence.report.markdown import FROM_RECORDS, cell, markdown_table

__all__ = ["services_text"]

_BENCHMARK: Final = "quarterly-average-41-percent"
"""Claim that states what quarterly rates are measured by."""

_HEADS: Final = (
    "Service",
    "Population",
    "Given",
    "When",
    "Among",
    "Persons",
    "Rate (95% CI)",
    "Basis",
    "Fidelity, as printed",
)
_WRITE: Final = Numerals(ratio=False)


def services_text(dataset: Dataset) -> str:
    """Write the page of service rates.

    Parameters
    ----------
    dataset : Dataset
        The records.

    Returns
    -------
    str
        Markdown: a table for each kind of rate, kinds and populations in the order of the vocabulary.
    """
    rates = service_rates(dataset)
    intro = (
        f"{FROM_RECORDS}\n# Employment rates of services\n\n"
        "Routine services, single-arm studies and the programmes of quasi-experiments: one rate of each kind from each"
        " group. A rate of one kind says nothing about one of another: who ever worked in two years, who works at a"
        " date, and who works in a quarter are different shares of different people. None of them has a control, so"
        " that none says what a service adds. Intervals are Wilson's, where counts were printed. Where a mean is"
        " allowed, it is among the [results](README.md).\n"
    )
    parts = [
        intro,
    ]
    for kind in sorted({rate.kind for rate in rates}, key=_place):
        rows = sorted((rate for rate in rates if rate.kind == kind), key=_order)
        parts.append(f"\n## {cell(kind[:1].upper() + kind[1:])}\n\n" + markdown_table(_HEADS, map(_row, rows)))
        if kind.startswith(CONCEPT["quarterly-employment"].label):
            parts.extend(_benchmark(dataset))
    return "".join(parts)


def _place(kind: str) -> tuple[int, str]:
    """Put kinds in the order of what they count; of one concept the longest name is the right one."""
    labels = [term.label for term in CONCEPT.values()]
    fitting = [label for label in labels if kind.startswith(f"{label},")]
    return labels.index(max(fitting, key=len)), kind


def _order(rate: ServiceRate) -> tuple[int, float, str, str]:
    labels = [term.label for term in ANALYSIS_GROUP.values()]
    return labels.index(rate.group), -rate.rate, rate.label, rate.arm


def _row(rate: ServiceRate) -> tuple[str, ...]:
    return (
        rate.label,
        rate.group,
        _given(rate),
        _when(rate),
        rate.of or "not stated",
        "no counts" if math.isnan(rate.n) else f"{rate.events:,.10g} of {rate.n:,.10g}",
        _percent(rate),
        rate.basis,
        rate.fidelity or EN_DASH,
    )


def _given(rate: ServiceRate) -> str:
    """Name the treatment, and what the record calls it where that says more."""
    label = TREATMENT[rate.treatment].label
    return rate.arm if rate.arm.casefold().startswith(label.casefold()) else f"{label}: {rate.arm}"


def _when(rate: ServiceRate) -> str:
    months = "" if math.isnan(rate.months) else f"{rate.months:g} months"
    return "; ".join(part for part in (months, rate.period) if part) or EN_DASH


def _percent(rate: ServiceRate) -> str:
    value, low, high = (_WRITE.fixed(100 * share, 0) for share in (rate.rate, rate.low, rate.high))
    return f"{value}%" if math.isnan(rate.low) else f"{value}% ({low} to {high})"


def _benchmark(dataset: Dataset) -> Iterator[str]:
    """Cite what quarterly rates are measured by, where the data have the claim that states it."""
    if _BENCHMARK not in claim_files(dataset.root):
        return
    claim = find_claim(_BENCHMARK, dataset.root)
    for source in claim.stated_by:
        yield f"\nBenchmark of quarterly rates: {cell(source.as_printed)} ({cell(source.cite)}"
        yield f", <{source.url}>).\n" if source.url else ").\n"
    if claim.notes:
        yield f"\n{cell(claim.notes)}\n"
