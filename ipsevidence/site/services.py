"""The services: who pays, for whom, where, how close to treatment, how faithful, with what outcomes; rates by kind."""

import dataclasses
import math
from typing import TYPE_CHECKING, Final

from ipsevidence.analysis.service_rates import ServiceRate, service_rates
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, COUNTRY, INTEGRATION, SCALE, STATUS, YES_NO
from ipsevidence.figures.numbers import Numerals
from ipsevidence.site.shell import page
from ipsevidence.site.studies import value_of

if TYPE_CHECKING:
    from ipsevidence.dataset.record import Study
    from ipsevidence.site.material import Material

__all__ = ["files"]

_WRITE: Final = Numerals(ratio=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A service in the family table."""

    id: str
    label: str
    status: str
    group: str
    whom: str
    where: str
    pays: str
    setting: str
    integration: str
    ips: str
    fidelity: str
    outcomes: tuple[str, ...]
    caseload: str
    cost: str


def files(material: "Material") -> dict[str, bytes]:
    """Make the page of services."""
    rates = service_rates(material.dataset)
    order = list(ANALYSIS_GROUP)
    studies = [study for study in material.dataset if study.service is not None and study.status != "excluded"]
    studies.sort(key=lambda study: (order.index(study.population.analysis_group), study.label))
    rows = [_row(study, [rate for rate in rates if rate.study == study.id]) for study in studies]
    kinds = sorted({rate.kind for rate in rates}, key=lambda kind: (-sum(r.kind == kind for r in rates), kind))
    text = page(
        "services.html.j2",
        path="services.html",
        title="Services",
        description="IPS services: who pays, for whom, where, integration with treatment, fidelity and outcomes.",
        here="services",
        scripts=("tables.js",),
        rows=rows,
        groups=[(key, ANALYSIS_GROUP[key].label) for key in order if any(row.group == key for row in rows)],
        kinds=[(kind, [rate for rate in rates if rate.kind == kind]) for kind in kinds],
        percent=percent,
        persons=_persons,
    )
    return {"services.html": text.encode()}


def _row(study: "Study", rates: list[ServiceRate]) -> _Row:
    service = study.service
    assert service is not None
    integration = INTEGRATION[service.integration].label if service.integration else ""
    scores = [
        f"{value_of(one.score)}{f' of {one.maximum}' if one.maximum is not None else ''} ({SCALE[one.scale].label})"
        for one in study.fidelity
        if one.score is not None
    ]
    places = [COUNTRY[code].label for code in study.design.countries]
    rated = [service.fidelity_rated] if service.fidelity_rated else []
    return _Row(
        id=study.id,
        label=study.label,
        status="" if study.status == "included" else STATUS[study.status].label,
        group=study.population.analysis_group,
        whom=ANALYSIS_GROUP[study.population.analysis_group].label,
        where=", ".join(dict.fromkeys(filter(None, (service.region, *places)))),
        pays=service.funder or "",
        setting=service.setting or "",
        integration="" if integration == "not stated" else integration,
        ips=YES_NO[service.delivers_ips].label if service.delivers_ips else "",
        fidelity="; ".join([*rated, *scores]),
        outcomes=tuple(f"{percent(rate)}: {rate.kind}{_months(rate)}" for rate in rates),
        caseload=value_of(service.caseload),
        cost=value_of(service.cost_per_client),
    )


def _months(rate: ServiceRate) -> str:
    return "" if math.isnan(rate.months) else f", {rate.months:g} months"


def percent(rate: ServiceRate) -> str:
    """Write a rate with its Wilson interval, where counts give one."""
    value, low, high = (_WRITE.fixed(100 * share, 0) for share in (rate.rate, rate.low, rate.high))
    return f"{value}%" if math.isnan(rate.low) else f"{value}% ({low} to {high})"


def _persons(rate: ServiceRate) -> str:
    return "no counts" if math.isnan(rate.n) else f"{rate.events:,.10g} of {rate.n:,.10g}"
