"""Checks of all records together: papers that stand in two of them, and overlaps that only one of them knows."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

from ipsevidence.dataset.checklist import Case, Path, Problem, check
from ipsevidence.dataset.refusals import nearest

__all__ = ["CHECKS_BETWEEN_RECORDS"]

_REGISTRATION = re.compile(r"\b(?:NCT\d{8}|ISRCTN\d{6,8}|ACTRN\d{14}|DRKS\d{8}|ChiCTR[A-Za-z0-9-]{5,20}|NTR\d{3,5})\b")


def _overlaps(cases: Mapping[str, Case], study_id: str) -> set[str]:
    return {overlap.id for overlap in cases[study_id].study.overlaps_with}


@check(
    "paper-in-two-records",
    "error",
    rule=(
        "A DOI, PubMed number or registration stands in one record only, unless `overlaps_with` says that the two "
        "share participants, or one of them is superseded."
    ),
    why="Otherwise the same persons may be pooled twice.",
    fix="merge the records, or say under `overlaps_with` how they overlap",
    scope="dataset",
    acceptable=True,
)
def _paper_in_two_records(cases: Mapping[str, Case]) -> Iterator[tuple[str, Problem]]:
    holders: dict[str, dict[str, Path]] = defaultdict(dict)
    for study_id, case in cases.items():
        if case.study.status != "superseded":
            for name, path in _identifiers(case):
                holders[name].setdefault(study_id, path)
    for name, places in holders.items():
        for one, other in combinations(sorted(places), 2):
            if other not in _overlaps(cases, one) and one not in _overlaps(cases, other):
                yield other, Problem(places[other], f"{name} stands in {one} too")


def _identifiers(case: Case) -> Iterator[tuple[str, Path]]:
    for index, report in enumerate(case.study.reports):
        for key in ("doi", "pmid", "pmcid"):
            value = getattr(report, key)
            if value is not None:
                yield f"{key} {value.lower() if key == 'doi' else value}", ("reports", index, key)
    for name in _REGISTRATION.findall(case.study.design.registration or ""):
        yield f"registration {name}", ("design", "registration")


@check(
    "overlap-does-not-resolve",
    "error",
    rule="`overlaps_with` names another record of the dataset, by its present id.",
    why="An overlap is only kept out of a pool if the other record is found.",
    fix="correct the id",
    scope="dataset",
)
def _overlap_does_not_resolve(cases: Mapping[str, Case]) -> Iterator[tuple[str, Problem]]:
    former = {name: study_id for study_id, case in cases.items() for name in case.study.former_ids}
    for study_id, case in cases.items():
        for index, overlap in enumerate(case.study.overlaps_with):
            path = ("overlaps_with", index, "id")
            if overlap.id == study_id:
                yield study_id, Problem(path, "the record overlaps with itself", "name the other record")
            elif overlap.id not in cases:
                guess = former.get(overlap.id) or nearest(overlap.id, list(cases))
                what = f"there is no record {overlap.id}"
                yield study_id, Problem(path, f"{what}; nearest: {guess}" if guess else what)


@check(
    "overlap-not-mutual",
    "error",
    rule="Two records that share participants both say so under `overlaps_with`.",
    why="Whichever of the two is looked at, the other one must be seen.",
    fix="add it to the other record too",
    scope="dataset",
)
def _overlap_not_mutual(cases: Mapping[str, Case]) -> Iterator[tuple[str, Problem]]:
    for study_id, case in cases.items():
        for index, overlap in enumerate(case.study.overlaps_with):
            if overlap.id in cases and study_id not in _overlaps(cases, overlap.id):
                yield (
                    study_id,
                    Problem(
                        ("overlaps_with", index, "id"),
                        f"{overlap.id} does not say that it overlaps with {study_id}",
                        f"add {study_id} to `overlaps_with` in {overlap.id}",
                    ),
                )


@check(
    "former-id-in-use",
    "error",
    rule="A former id of a record is not the id, present or former, of another.",
    why="Old links and specs must lead to one study.",
    fix="give the newer record another id",
    scope="dataset",
)
def _former_id_in_use(cases: Mapping[str, Case]) -> Iterator[tuple[str, Problem]]:
    holders: dict[str, str] = {study_id: study_id for study_id in cases}
    for study_id, case in cases.items():
        for index, name in enumerate(case.study.former_ids):
            if name in holders:
                yield study_id, Problem(("former_ids", index), f"{name} is, or was, the id of {holders[name]}")
            holders.setdefault(name, study_id)


CHECKS_BETWEEN_RECORDS = (
    _paper_in_two_records,
    _overlap_does_not_resolve,
    _overlap_not_mutual,
    _former_id_in_use,
)
