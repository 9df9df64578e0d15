"""Checks of how a study was made: arms against design and size, times against windows, terms against each other."""

import re
from collections.abc import Iterator
from decimal import Decimal

from ipsevidence.dataset.checklist import Case, Problem, check, listed, whole

__all__ = ["CHECKS_OF_DESIGN"]

_TRIALS = frozenset({"rct", "pilot-rct", "cluster-rct"})
_MONTHS = re.compile(r"(?:^|-)(?:([0-9]{1,3})-)?([0-9]{1,3})m$")
_ALLOCATIONS = {
    "rct": {"randomised", "not-randomised"},
    "pilot-rct": {"randomised", "cluster-randomised", "not-randomised"},
    "cluster-rct": {"cluster-randomised", "not-randomised"},
}


@check(
    "trial-without-comparator",
    "error",
    rule="A randomised trial has at least two arms to which persons or clusters were allocated at random.",
    why="Without a second one nothing is compared at random.",
    fix="add the arm, correct its `allocation`, or correct `design.type`",
)
def _trial_without_comparator(case: Case) -> Iterator[Problem]:
    study = case.study
    randomised = sum(arm.allocation != "not-randomised" for arm in study.arms)
    if study.design.type in _TRIALS and randomised < 2:
        yield Problem(("arms",), f"the design is {study.design.type}, but {randomised} of the arms was randomised")


@check(
    "allocation-against-design",
    "error",
    rule=(
        "Persons are allocated at random in randomised trials, clusters in cluster-randomised ones (in pilot trials "
        "either), and nobody in other designs."
    ),
    why="Cluster trials need another analysis, and designs without random allocation another question.",
    fix="correct the arm's `allocation`, or `design.type`",
)
def _allocation_against_design(case: Case) -> Iterator[Problem]:
    design = case.study.design.type
    possible = _ALLOCATIONS.get(design, {"not-randomised"})
    for index, arm in enumerate(case.study.arms):
        if arm.allocation not in possible:
            what = f"arm {arm.id} is {arm.allocation}, but the design is {design}"
            yield Problem(("arms", index, "allocation"), what)


@check(
    "cluster-without-icc",
    "advice",
    rule="A cluster-randomised trial with counts has the intracluster correlation of its outcome, `design.icc`.",
    why="Without it persons of one cluster count as independent, and the trial gets too much weight.",
    fix="look it up in the source; where none is printed, list it under `wanted` and accept the finding",
    acceptable=True,
)
def _cluster_without_icc(case: Case) -> Iterator[Problem]:
    design = case.study.design
    has_counts = any(reading.kind == "count" for outcome in case.study.outcomes for reading in outcome.readings)
    if design.type == "cluster-rct" and design.icc is None and has_counts:
        yield Problem(("design", "type"), "the trial is cluster-randomised, but there is no intracluster correlation")


@check(
    "arms-do-not-sum",
    "error",
    rule="Participants `randomised` are the sum of the arms that were randomised.",
    why="A difference means a missing arm, or persons counted at another moment.",
    fix="look the sizes up in the source; a size at another moment is `enrolled` or `analysed`",
    acceptable=True,
)
def _arms_do_not_sum(case: Case) -> Iterator[Problem]:
    sizes = [whole(arm.n_randomised) for arm in case.study.arms if arm.allocation != "not-randomised"]
    known = [size for size in sizes if size is not None]
    if not sizes or len(known) < len(sizes):
        return
    for index, participants in enumerate(case.study.participants):
        total = whole(participants)
        if participants.what == "randomised" and total is not None and total != sum(known):
            arms = " + ".join(map(str, known))
            yield Problem(("participants", index), f"{total} were randomised, but the arms have {arms} = {sum(known)}")


@check(
    "entered-against-participants",
    "error",
    rule=(
        "Where the size of every arm is `n_entered`, one of the sizes under `participants` is their sum, or that of "
        "one arm."
    ),
    why="The same persons are counted twice in the record, so a slip in the one number shows in the other.",
    fix="look both numbers up in the source; a size of another group has another `what`, and may stand beside this one",
    acceptable=True,
)
def _entered_against_participants(case: Case) -> Iterator[Problem]:
    study = case.study
    sizes = [whole(arm.n_entered) for arm in study.arms]
    known = [size for size in sizes if size is not None]
    totals = [whole(size) for size in study.participants]
    if known and len(known) == len(sizes) and totals and None not in totals and not {sum(known), *known} & {*totals}:
        entered = listed(known) if len(known) == 1 else f"{' + '.join(map(str, known))} = {sum(known)}"
        yield Problem(
            ("arms", 0, "n_entered"), f"{entered} entered, but under `participants` there is only {listed(totals)}"
        )


@check(
    "participants-twice",
    "error",
    rule="`participants` has one size for each moment (`what`); a second one says by `qualifier` how it differs.",
    why="With two, nobody knows which one a total is made of.",
    fix="delete one, correct `what`, or add `qualifier:`; sources that do not agree go to `disagreements`",
)
def _participants_twice(case: Case) -> Iterator[Problem]:
    seen = set()
    for index, participants in enumerate(case.study.participants):
        key = (participants.what, participants.qualifier)
        if key in seen:
            yield Problem(("participants", index, "what"), f"a second size of those {participants.what}")
        seen.add(key)


@check(
    "status-needs-reason",
    "error",
    rule="A record that is excluded, superseded or awaiting classification says why in `status_reason`.",
    why="A study that is left out without a reason looks like one that was forgotten.",
    fix="add `status_reason:`; for a superseded record name the one that replaces it",
)
def _status_needs_reason(case: Case) -> Iterator[Problem]:
    if case.study.status in {"excluded", "superseded", "awaiting"} and case.study.status_reason is None:
        yield Problem(("status",), f"the status is {case.study.status}, but there is no reason")


@check(
    "measured-window",
    "error",
    rule=(
        "An outcome measured up to a month or at a month has `to`; one within a part of follow-up has `from` and `to`; "
        "months are not negative, and `from` comes before `to`."
    ),
    why="Analyses choose outcomes by their months.",
    fix="add the months from entry; if what was read does not say, the window is `not-stated`",
)
def _measured_window(case: Case) -> Iterator[Problem]:
    needed = {"cumulative": ("to",), "point": ("to",), "interval": ("from", "to")}
    for index, outcome in enumerate(case.study.outcomes):
        measured = outcome.measured
        months = {"from": measured.from_, "to": measured.to}
        path = ("outcomes", index, "measured")
        missing = [key for key in needed.get(measured.window, ()) if months[key] is None]
        negative = [key for key, month in months.items() if month is not None and month < 0]
        if missing:
            keys = " and no ".join(f"`{key}`" for key in missing)
            yield Problem(path, f"the window is {measured.window}, but there is no {keys}")
        elif negative:
            yield Problem((*path, negative[0]), f"month {months[negative[0]]} is before entry")
        elif measured.from_ is not None and measured.to is not None and measured.from_ >= measured.to:
            yield Problem((*path, "from"), f"`from` is {measured.from_}, `to` is {measured.to}")


@check(
    "months-against-id",
    "error",
    rule="An outcome whose id ends with months, as in `competitive-12m` or `days-7-12m`, is measured up to the last.",
    why="Specs and people call the outcome by its id; one of the two numbers is a slip.",
    fix="look the month up in the source, and give the outcome the id that says it",
)
def _months_against_id(case: Case) -> Iterator[Problem]:
    for index, outcome in enumerate(case.study.outcomes):
        named, to = _MONTHS.search(outcome.id), outcome.measured.to
        if named is None or to is None:
            continue
        months = {Decimal(named[2])} | ({Decimal(f"{named[1]}.{named[2]}")} if named[1] else set())
        if to not in months:
            yield Problem(("outcomes", index, "measured", "to"), f"measured at month {to}, but the id is {outcome.id}")


@check(
    "outcome-after-follow-up",
    "advice",
    rule="No outcome is measured later than `design.follow_up_months`.",
    why="One of the two months is wrong, or the follow-up was prolonged.",
    fix="give the longest follow-up of which results are recorded",
    acceptable=True,
)
def _outcome_after_follow_up(case: Case) -> Iterator[Problem]:
    months = case.study.design.follow_up_months
    for index, outcome in enumerate(case.study.outcomes):
        to = outcome.measured.to
        if months is not None and to is not None and to > months:
            yield Problem(
                ("outcomes", index, "measured", "to"), f"measured at month {to}, but follow-up is {months} months"
            )


@check(
    "group-against-illness",
    "error",
    rule=(
        "In the analysis group `smi` severe mental illness is not `no`; in `affective-common`, which is without severe "
        "mental illness, it is not `yes`."
    ),
    why="The groups are exclusive: interaction tests compare them.",
    fix="correct `analysis_group` by its written rule, or `severe_mental_illness`",
)
def _group_against_illness(case: Case) -> Iterator[Problem]:
    population = case.study.population
    contradiction = {"smi": "no", "affective-common": "yes"}.get(population.analysis_group)
    if population.severe_mental_illness == contradiction:
        yield Problem(
            ("population", "analysis_group"),
            f"the group is {population.analysis_group}, but severe mental illness is {contradiction}",
        )


CHECKS_OF_DESIGN = (
    _trial_without_comparator,
    _allocation_against_design,
    _cluster_without_icc,
    _arms_do_not_sum,
    _entered_against_participants,
    _participants_twice,
    _status_needs_reason,
    _measured_window,
    _months_against_id,
    _outcome_after_follow_up,
    _group_against_illness,
)
