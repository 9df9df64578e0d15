"""Which arms of a study answer the question of an analysis, and how many people are known to be in them."""

import math
from typing import Final, NamedTuple

from ipsevidence import core
from ipsevidence.analysis.rows import StudyRow, participants
from ipsevidence.analysis.spec import CONTRASTS, RANDOMISED, Spec
from ipsevidence.dataset.record import Arm, Number, Study
from ipsevidence.dataset.vocabulary import BASIS

__all__ = [
    "Compared",
    "People",
    "admitted",
    "compared",
    "known_size",
    "people_asked",
    "people_of",
    "sides",
    "sizes_of_arms",
]

_ORDER: Final = {key: place for place, key in enumerate(BASIS)}


class Compared(NamedTuple):
    """What the two sides of a contrast are called.

    Attributes
    ----------
    treatment, other : str
        As the head of a column: the side of interest, and what it is compared with.
    with_it, without : str
        As the end of a sentence on people.
    anyway : str
        Of people who have the outcome on the other side.
    """

    treatment: str
    other: str
    with_it: str
    without: str
    anyway: str


_COMPARED: Final[dict[str, Compared]] = {
    "ips-vs-control": Compared("IPS", "comparator", "with IPS", "without IPS", "anyway"),
    "bundle-vs-control": Compared("IPS in a bundle", "comparator", "with the bundle", "without it", "anyway"),
    "augmented-vs-ips": Compared("augmented IPS", "IPS", "with augmented IPS", "with IPS alone", "with IPS alone"),
    "supported-employment-vs-control": Compared(
        "supported employment", "comparator", "with supported employment", "without it", "anyway"
    ),
}
_OWN: Final = Compared("group 1", "group 2", "in group 1", "in group 2", "anyway")


def compared(spec: Spec, *, own_table: bool = False) -> Compared:
    """Return what the sides of the contrast of an analysis are called; in a table of the reader's own nothing is known.

    Parameters
    ----------
    spec : Spec
        The analysis.
    own_table : bool
        Whether the rows come from a table and not from records.

    Returns
    -------
    Compared
    """
    return _OWN if own_table else _COMPARED[spec.outcome.contrast]


class People(NamedTuple):
    """People in the arms of a question.

    Attributes
    ----------
    size : float
        How many are known: the sum of the arms, or the whole study where their sizes are not known; nan where neither
        says how many are in these arms.
    n1, n2 : float
        In the arms of interest and in the others; nan where not known.
    """

    size: float
    n1: float
    n2: float


def sides(spec: Spec, study: Study) -> tuple[list[Arm], list[Arm]]:
    """Return the arms of the contrast, or for single arms those with the treatment asked for.

    Parameters
    ----------
    spec : Spec
        The analysis, by its contrast or, where its measure is a proportion, by its treatments.
    study : Study
        The record.

    Returns
    -------
    of, against : list of Arm
        Either may be empty. Of a randomised study only randomised arms; never an arm of people who were in work at
        entry, for that is a trial of keeping a job.
    """
    arms = [arm for arm in _taking_part(study) if arm.entry != "in-work"]
    if core.MEASURES[spec.effect.measure].needs == "proportion":
        return [arm for arm in arms if arm.treatment in spec.outcome.treatments], []
    first, second = ([arm for arm in arms if arm.treatment in side] for side in CONTRASTS[spec.outcome.contrast])
    return first, second


def sizes_of_arms(spec: Spec, study: Study) -> dict[str, float]:
    """Return how many were randomised to an arm, or entered it, where that is known within the limit of basis.

    Parameters
    ----------
    spec : Spec
        The analysis; `studies.weakest_basis` is the limit.
    study : Study
        The record.

    Returns
    -------
    dict of str to float
        By the id of the arm.
    """
    entered = {arm.id: arm.n_randomised or arm.n_entered for arm in study.arms}
    return {
        name: float(number.value)
        for name, number in entered.items()
        if number is not None and number.value and admitted(spec, number)
    }


def people_asked(spec: Spec, study: Study) -> People:
    """Return how many people are known in the arms that answer the question.

    Parameters
    ----------
    spec : Spec
        The analysis.
    study : Study
        The record.

    Returns
    -------
    People
        Where an arm has no known size: the known size of the study. It stands for a contrast even where other arms
        share in it; for single arms only where there are no others; and never where a part of the study was in work
        at entry.
    """
    of, against = sides(spec, study)
    own = sizes_of_arms(spec, study)
    if all(arm.id in own for arm in (*of, *against)):
        n1, n2 = (math.fsum(own[arm.id] for arm in side) for side in (of, against))
        if n1 + n2:
            return People(n1 + n2, n1, n2)
    whole = known_size(study)
    alone = len(of) + len(against) == len(_taking_part(study))
    entered_in_work = any(arm.entry == "in-work" for arm in study.arms)
    if whole is None or entered_in_work or not (alone or against or not of):
        return People(math.nan, math.nan, math.nan)
    return People(whole, math.nan, math.nan)


def people_of(spec: Spec, study: Study, row: StudyRow) -> float:
    """Return how many people a study brings into a pool.

    Parameters
    ----------
    spec : Spec
        The analysis.
    study : Study
        The record.
    row : StudyRow
        Its row.

    Returns
    -------
    float
        Of two arms those randomised to the arms of the contrast; where these are not known and other arms share in
        the size of the study, the persons of the row. Of single arms the persons of the row.
    """
    mine = participants(row)
    if row.unit == "arm" and not math.isnan(mine):
        return mine
    people = people_asked(spec, study)
    shared = sum(map(len, sides(spec, study))) < len(_taking_part(study))
    if math.isnan(people.size) or (math.isnan(people.n1) and shared and not math.isnan(mine)):
        return row.participants if math.isnan(mine) else mine
    return people.size


def known_size(study: Study) -> float | None:
    """Return the largest printed number of participants of a study, screened ones left out; None where none is known.

    Parameters
    ----------
    study : Study

    Returns
    -------
    float or None
        Randomised before enrolled, enrolled before analysed.
    """
    for what in ("randomised", "enrolled", "analysed", "entrants"):
        sizes = [size.value for size in study.participants if size.what == what and size.value is not None]
        if sizes:
            return float(max(sizes))
    return None


def admitted(spec: Spec, number: Number | None) -> bool:
    """Whether a number was read, and is not of a weaker basis than the analysis takes.

    Parameters
    ----------
    spec : Spec
        The analysis; `studies.weakest_basis` is the limit. A number without a basis is as weak as can be.
    number : Number or None

    Returns
    -------
    bool
    """
    if number is None or number.value is None:
        return False
    return _ORDER[number.basis or "reconstructed"] <= _ORDER[spec.studies.weakest_basis]


def _taking_part(study: Study) -> list[Arm]:
    """Return the arms that share in the printed size: of a randomised study those to which people were randomised."""
    randomised = study.design.type in RANDOMISED
    return [arm for arm in study.arms if not (randomised and arm.allocation == "not-randomised")]
