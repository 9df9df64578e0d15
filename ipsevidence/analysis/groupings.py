"""By what the studies of a rule are put into groups: each a question that the record answers, never the result."""

from collections.abc import Callable, Sequence
from typing import Final

from ipsevidence.dataset.fidelity import SCALES, band
from ipsevidence.dataset.record import Arm, Outcome, Study

__all__ = ["COMPARATOR_KINDS", "FIDELITY_BANDS", "comparator_kind", "fidelity_band", "grouped"]

COMPARATOR_KINDS: Final[dict[str, str]] = {
    "usual-care": "usual care or a waiting list",
    "vocational-service": "another vocational service",
    "mixed": "usual care and a vocational service",
}
"""What IPS is compared with, in the groups of `comparator`."""

FIDELITY_BANDS: Final[dict[str, str]] = {
    **{
        f"{key}-{one.label.replace(' ', '-').lower()}": f"{scale.label}, {one.label}"
        for key, scale in SCALES.items()
        for one in scale.bands
    },
    **{f"{key}-no-band": f"{scale.label}, a score without a band" for key, scale in SCALES.items()},
    "no-score": "no score read",
}
"""Scale and band of the lowest score, in the groups of `fidelity`."""

_USUAL_CARE: Final = frozenset({"treatment-as-usual", "enhanced-usual-care", "waiting-list"})
# fmt: off
_EUROPE: Final = frozenset(
    [
        "AD", "AL", "AT", "BA", "BE", "BG", "BY", "CH", "CZ", "DE", "DK", "EE", "ES", "FI", "FR",
        "GB", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK",
        "MT", "NL", "NO", "PL", "PT", "RO", "RS", "SE", "SI", "SK", "SM", "UA", "VA",
    ]
)
# fmt: on
_NORTH_AMERICA: Final = frozenset({"CA", "US"})


def grouped(by: str, study: Study, outcome: Outcome, of: Sequence[Arm], against: Sequence[Arm]) -> str:
    """Return the group of a study.

    Parameters
    ----------
    by : str
        Key of `spec.GROUPINGS`.
    study, outcome : Study, Outcome
        The record, and the outcome that enters.
    of, against : sequence of Arm
        The arms of interest and the others; the others are empty for single-arm rates.

    Returns
    -------
    str
        Key of the group, to be listed in `subgroups: groups` of the spec.
    """
    return _BY[by](study, outcome, of, against)


def comparator_kind(against: Sequence[Arm]) -> str:
    """Return the key of `COMPARATOR_KINDS` of the arms that are combined: usual care, a vocational service, or both."""
    kinds = {"usual-care" if arm.treatment in _USUAL_CARE else "vocational-service" for arm in against}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _region(study: Study, _outcome: Outcome, _of: Sequence[Arm], _against: Sequence[Arm]) -> str:
    places = {country.split("-")[0] for country in study.design.countries}
    if places <= _EUROPE:
        return "europe"
    if places <= _NORTH_AMERICA:
        return "north-america"
    return "elsewhere" if not places & (_EUROPE | _NORTH_AMERICA) else "several"


def _follow_up(_study: Study, outcome: Outcome, _of: Sequence[Arm], _against: Sequence[Arm]) -> str:
    if outcome.measured.to is None:
        return "not-stated"
    return "up-to-12" if outcome.measured.to <= 12 else "over-12"


def fidelity_band(study: Study, of: Sequence[Arm]) -> str:
    """Return the key of `FIDELITY_BANDS` of the lowest score of the arms; bands of two scales never meet."""
    here = {arm.id for arm in of}
    scores = [
        (found.scale, float(lowest))
        for found in study.fidelity
        if found.score is not None
        and found.scale in SCALES
        and (found.arm is None or found.arm in here)
        and (lowest := found.score.value if found.score.value is not None else found.score.low) is not None
    ]
    for scale, score in sorted(scores, key=lambda scored: scored[1])[:1]:
        name = band(scale, score)
        return f"{scale}-{name.label.replace(' ', '-').lower()}" if name else f"{scale}-no-band"
    return "no-score"


_BY: Final[dict[str, Callable[[Study, Outcome, Sequence[Arm], Sequence[Arm]], str]]] = {
    "analysis-group": lambda study, *_: study.population.analysis_group,
    "severe-mental-illness": lambda study, *_: study.population.severe_mental_illness,
    "intervention": lambda _study, _outcome, of, _against: "-and-".join(sorted({arm.treatment for arm in of})),
    "comparator": lambda _study, _outcome, _of, against: comparator_kind(against),
    "region": _region,
    "developer-involved": lambda study, *_: study.design.developer_involved or "not-stated",
    "follow-up": _follow_up,
    "ascertainment": lambda _study, outcome, *_: outcome.ascertainment or "not-stated",
    "assessor-blinded": lambda _study, outcome, *_: outcome.assessor_blinded or "not-stated",
    "fidelity": lambda study, _outcome, of, _against: fidelity_band(study, of),
}
