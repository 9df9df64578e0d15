"""The same analysis with other groups, or with a part of its studies: what a figure is asked for in passing."""

from collections.abc import Mapping
from typing import Final

from ipsevidence.analysis.derivation import SelectionError
from ipsevidence.analysis.selection import select
from ipsevidence.analysis.spec import GROUPINGS, Group, Spec, StudyFilter, Subgroups
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, ASCERTAINMENT, TREATMENT, YES_NO

__all__ = ["WHERE", "narrowed", "regrouped"]

WHERE: Final = {"group": "analysis_groups", "tag": "tags", "design": "designs", "smi": "severe_mental_illness"}
"""By what studies can be left out, and which field of the filter that is."""

_LABELS: Final[Mapping[str, str]] = {
    **{key: term.label for vocabulary in (YES_NO, ASCERTAINMENT, TREATMENT) for key, term in vocabulary.items()},
    **{key: term.label for key, term in ANALYSIS_GROUP.items()},
    "usual-care": "Usual care, waiting list",
    "vocational-service": "Another vocational service",
    "mixed": "Mixed",
    "europe": "Europe",
    "north-america": "North America",
    "elsewhere": "Elsewhere",
    "several": "Several",
    "up-to-12": "Up to 12 months",
    "over-12": "More than 12 months",
    "no-score": "No score read",
    "not-stated": "Not stated",
}


def regrouped(spec: Spec, by: str, dataset: Dataset) -> Spec:
    """Return an analysis with its studies grouped in another way; groups without a study are left out.

    Parameters
    ----------
    spec : Spec
        An analysis whose studies a filter admits.
    by : str
        Key of `spec.GROUPINGS`.
    dataset : Dataset
        The records.

    Returns
    -------
    Spec

    Raises
    ------
    SelectionError
        If there is no such grouping, or the spec lists its studies.
    """
    if by not in GROUPINGS:
        raise SelectionError(f"--by must be one of {', '.join(GROUPINGS)}; got {by!r}")
    if spec.studies.where is None:
        raise SelectionError(f"{spec.id} lists its studies, each with its group; --by is for analyses with a filter")
    # Groups do not decide who is in, so that a first selection tells which there are.
    open_spec = spec.model_copy(update={"subgroups": Subgroups.model_construct(by=by, groups=())})
    found = dict.fromkeys(sorted(row.group for row in select(open_spec, dataset).rows))
    order = [key for key in _LABELS if key in found] + [key for key in found if key not in _LABELS]
    groups = tuple(Group(id=key, label=_label(key)) for key in order)
    return spec.model_copy(update={"subgroups": Subgroups(by=by, groups=groups) if groups else None})


def _label(key: str) -> str:
    known = _LABELS.get(key, key.replace("-", " "))
    return known[:1].upper() + known[1:]


def narrowed(spec: Spec, where: Mapping[str, str]) -> Spec:
    """Return an analysis of a part of its studies.

    Parameters
    ----------
    spec : Spec
        An analysis whose studies a filter admits.
    where : mapping of str to str
        Keys of `WHERE` and what each must be: a value, or several with commas between.

    Returns
    -------
    Spec

    Raises
    ------
    SelectionError
        If there is no such key or value, or the spec lists its studies.
    """
    if spec.studies.where is None:
        raise SelectionError(f"{spec.id} lists its studies; --where is for analyses with a filter")
    changes: dict[str, tuple[str, ...]] = {}
    for key, value in where.items():
        if key not in WHERE:
            raise SelectionError(f"--where wants {', '.join(WHERE)}, as in group=justice; got {key!r}")
        changes[WHERE[key]] = tuple(part.strip() for part in value.split(",") if part.strip())
    try:
        rule = StudyFilter.model_validate({**spec.studies.where.model_dump(), **changes})
    except ValueError as error:
        wrong = ", ".join(f"{key}={value}" for key, value in where.items())
        raise SelectionError(f"--where {wrong}: no such value; see docs/vocabulary.md") from error
    studies = spec.studies.model_copy(update={"where": rule})
    return spec.model_copy(update={"studies": studies, "certainty": None})  # nobody judged the part
