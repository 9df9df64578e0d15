"""The fidelity scales as data: items, ranges, bands with what was read of them, and what may be compared with what.

Labels do not correspond across scales: 100 of 125 on the 25-item scale is called good, and so is 66 of 75 on the
15-item scale, though they stand at 0.75 and 0.85 of their ranges. Scores of different scales are therefore never put
together, except on the declared common axis of `on_common_axis`, which is ours and not a published conversion.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ipsevidence.dataset.vocabulary import SCALE

__all__ = ["SCALES", "Band", "FidelityError", "Scale", "band", "on_common_axis", "same_scale"]


class FidelityError(ValueError):
    """A score that its scale cannot have, or a comparison that the scales do not allow."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A labelled part of a scale.

    Attributes
    ----------
    label : str
        As the scale calls it.
    low, high : float
        Lowest and highest score.
    read : bool
        Whether the cut-offs were read in a source; the others are how the scale is generally quoted, and unverified.
    """

    label: str
    low: float
    high: float
    read: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A fidelity scale.

    Attributes
    ----------
    key, label : str
        As in the vocabulary.
    items : int or None
        Number of items; None where it was not read.
    sections : mapping of str to int
        Items in each section, as far as read.
    item_names : mapping of int to str
        Names of the items that were read, by number.
    bands : tuple of Band
        From the highest; empty where none was read.
    sources : tuple of str
        What was read.
    remark : str
        What to know before comparing.
    """

    key: str
    label: str
    items: int | None = None
    sections: Mapping[str, int] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    item_names: Mapping[int, str] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    bands: tuple[Band, ...] = ()
    sources: tuple[str, ...] = ()
    remark: str = ""

    @property
    def lowest(self) -> float | None:
        """Lowest possible score, where every item is rated 1 to 5."""
        return None if self.items is None else float(self.items)

    @property
    def highest(self) -> float | None:
        """Highest possible score, where every item is rated 1 to 5."""
        return None if self.items is None else 5.0 * self.items


def _scale(key: str, **fields: object) -> Scale:
    return Scale(key=key, label=SCALE[key].label, **fields)  # type: ignore[arg-type]


SCALES: Final = MappingProxyType(
    {
        scale.key: scale
        for scale in (
            _scale(
                "ips-15",
                items=15,
                sections=MappingProxyType({"staffing": 3, "organisation": 3, "services": 9}),
                item_names=MappingProxyType(
                    {
                        1: "Caseload size",
                        2: "Vocational services staff",
                        3: "Vocational generalists",
                        4: "Integration of rehabilitation with mental health treatment",
                        5: "Vocational unit",
                        6: "Zero exclusion criteria",
                        7: "Ongoing, work-based vocational assessment",
                        8: "Rapid search for competitive job",
                        9: "Individualized job search",
                    }
                ),
                bands=(
                    Band(label="good", low=66, high=75, read=False),
                    Band(label="fair", low=56, high=65, read=False),
                    Band(label="not supported employment", low=15, high=55, read=False),
                ),
                sources=(
                    "https://www.worksupport.com/Rehab/MI/interview.htm",
                    "https://www.worksupport.com/Rehab/MI/services.htm",
                    "https://doi.org/10.1176/appi.ps.201100476",
                ),
                remark="The cut-offs were not read in a source; a review calls 63 to 69 good, across the border at 66.",
            ),
            _scale(
                "ips-25",
                items=25,
                item_names=MappingProxyType(
                    {
                        1: "Caseload size",
                        2: "Employment services staff",
                        3: "Vocational generalists",
                        7: "Vocational unit",
                        13: "Disclosure",
                        15: "Rapid search for competitive job",
                        19: "Diversity of job types",
                        20: "Diversity of employers",
                        22: "Individualized follow-along supports",
                        23: "Time-unlimited follow-along supports",
                        24: "Community-based services",
                    }
                ),
                bands=(
                    Band(label="exemplary", low=115, high=125, read=False),
                    Band(label="good", low=100, high=114, read=False),
                    Band(label="fair", low=74, high=99, read=True),
                    Band(label="not IPS", low=25, high=73, read=False),
                ),
                sources=(
                    "https://www.centreformentalhealth.org.uk/the-ips-fidelity-scale",
                    "https://ipsgrow.org.uk/providers/fidelity-reviews/",
                    "https://doi.org/10.1007/s10597-013-9687-2",
                ),
                remark="Read: 100 or more is good, 74 to 99 is fair. The border to exemplary was not read. The caseload"
                " item is stricter than on the 15-item scale: 20 or fewer for the highest rating, against 25.",
            ),
            _scale(
                "ips-y",
                sources=("https://muse.jhu.edu/article/797612", "https://doi.org/10.1007/s10488-024-01415-w"),
                remark="35 items in two subscales with cut-offs of their own: 110 on the employment subscale is called "
                "exemplary. Totals are not those of the 25-item scale.",
            ),
            _scale(
                "jisef",
                sources=("https://pmc.ncbi.nlm.nih.gov/articles/PMC8340823",),
                remark="A modification of the 25-item scale, correlated 0.76 with it; its bands were not read.",
            ),
            _scale(
                "qseis",
                items=33,
                sources=("https://content.iospress.com/articles/journal-of-vocational-rehabilitation/jvr00084",),
                remark="Not a scale of IPS; correlated 0.85 with the 15-item scale over 144 programmes.",
            ),
        )
    }
)
"""The scales by key, in the order of the vocabulary; a fidelity statement without a scale has none."""


def band(scale: str, score: float) -> Band | None:
    """Return the band that a score falls into, by the score's own scale.

    Parameters
    ----------
    scale : str
        Key of `SCALES`.
    score : float
        Total score.

    Returns
    -------
    Band or None
        None where no bands of the scale were read.

    Raises
    ------
    FidelityError
        If the scale is not known or cannot have this score.
    """
    known = _known(scale)
    if known.items is not None and not known.items <= score <= 5 * known.items:
        raise FidelityError(f"{scale}: a total is from {known.lowest:g} to {known.highest:g}; got {score:g}")
    # Means over sites fall between whole scores: the band is that of the last whole score reached.
    return next((one for one in known.bands if score >= one.low), None)


def on_common_axis(scale: str, score: float) -> float:
    """Return (score - items) / (4 x items): 0 where every item is rated 1, and 1 where every item is rated 5.

    An axis for showing scores of several scales side by side. It does not make them comparable.

    Parameters
    ----------
    scale : str
        Key of `SCALES`; only scales whose items are all rated 1 to 5 have this axis.
    score : float
        Total score.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    FidelityError
        If the scale has no such axis or cannot have this score.
    """
    known = _known(scale)
    if known.items is None:
        raise FidelityError(f"{scale}: its number of items was not read, so its scores have no common axis")
    band(scale, score)
    return (score - known.items) / (4 * known.items)


def same_scale(scales: tuple[str, ...]) -> str:
    """Return the one scale of several scores, before they are put together.

    Raises
    ------
    FidelityError
        If there is more than one, or one is not stated.
    """
    different = sorted(set(scales))
    if len(different) != 1 or different[0] not in SCALES:
        raise FidelityError(f"scores of one scale are wanted; got {', '.join(different) or 'none'}")
    return different[0]


def _known(scale: str) -> Scale:
    if scale not in SCALES:
        raise FidelityError(f"no such fidelity scale: {scale!r}; there are: {', '.join(SCALES)}")
    return SCALES[scale]
