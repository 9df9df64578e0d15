"""The effect of a change: two versions of the data compared, record by record and analysis by analysis."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from ipsevidence.analysis.absolutes import Absolutes
from ipsevidence.analysis.analysis_changes import CANNOT_RUN, AnalysisChange, Made, analysis_change, made_of, remade
from ipsevidence.analysis.claimfiles import Claim
from ipsevidence.analysis.claims import ClaimVerdict, judge
from ipsevidence.analysis.field_changes import FieldChange, field_changes
from ipsevidence.analysis.footings import UNREADABLE, Footings, Half, plain_data, plain_text
from ipsevidence.analysis.spec import Spec
from ipsevidence.analysis.validation import check_records
from ipsevidence.core import NotApplicable
from ipsevidence.dataset.closing import CLOSED_FILE, closed_version, reopened
from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.reader import ReadError

__all__ = ["ClaimChange", "Comparison", "DocumentChange", "Failure", "Stamp", "Standing", "compare_data"]

DocumentKind: TypeAlias = Literal["added", "removed", "changed", "broken", "mended"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One of the two sides: its name, the version of the dataset (empty where it states none), and its records."""

    name: str
    version: str
    records: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a record stands in the analyses.

    Attributes
    ----------
    pools : tuple of str
        Ids of the analyses that pool it.
    without_number : tuple of (str, str)
        Ids of those whose question it answers without being in the pool, each with the reason.
    elsewhere : tuple of (str, int)
        Why it does not answer the others, with the count of these, the most frequent reason first.
    """

    pools: tuple[str, ...] = ()
    without_number: tuple[tuple[str, str], ...] = ()
    elsewhere: tuple[tuple[str, int], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange:
    """A record, review or claim whose meaning changed.

    Attributes
    ----------
    what : {'record', 'review', 'claim'}
    id, label : str
    kind : {'added', 'removed', 'changed', 'broken', 'mended'}
        Broken: it could be read before and cannot be now; mended is the reverse.
    fields : tuple of FieldChange
        Empty unless it changed.
    standing : Standing or None
        Of a record that is there now, or was before it went; None without analyses, and for reviews and claims.
    """

    what: Literal["record", "review", "claim"]
    id: str
    label: str
    kind: DocumentKind
    fields: tuple[FieldChange, ...] = ()
    standing: Standing | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClaimChange:
    """A claim that rests on what changed: its verdicts with their reasons; empty where it was not there."""

    id: str
    title: str
    before: str
    after: str
    reason_before: str
    reason_after: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An analysis that runs on neither side, with the reason on each; the change may have to do with it, or not."""

    id: str
    title: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a change of the data does.

    Attributes
    ----------
    before, after : Stamp
    documents : tuple of DocumentChange
        Records, reviews and claims whose meaning changed.
    rewritten : tuple of str
        Files of which only the form changed: comments, order of keys, quotes, line breaks.
    unread_before, unread_after : tuple of Finding
        What is wrong with records that cannot be read.
    analyses : tuple of AnalysisChange
        Those that the change touches and of which a setting, number, row, decision or verdict is another; first those
        that cannot be run any more.
    failing : tuple of Failure
        Analyses that run on neither side, whether the change touches them or not.
    still : tuple of str
        Ids of those that the change touches, without any of this.
    untouched : int
        Analyses that the change does not touch; they were not run.
    claims : tuple of ClaimChange
        Claims judged anew with another verdict.
    claims_kept : tuple of str
        Ids of claims judged anew with the same verdict.
    gained, lost : tuple of Finding
        What the checks find now and did not before, and the reverse; places are not compared.
    """

    before: Stamp
    after: Stamp
    documents: tuple[DocumentChange, ...] = ()
    rewritten: tuple[str, ...] = ()
    unread_before: tuple[Finding, ...] = ()
    unread_after: tuple[Finding, ...] = ()
    analyses: tuple[AnalysisChange, ...] = ()
    failing: tuple[Failure, ...] = ()
    still: tuple[str, ...] = ()
    untouched: int = 0
    claims: tuple[ClaimChange, ...] = ()
    claims_kept: tuple[str, ...] = ()
    gained: tuple[Finding, ...] = ()
    lost: tuple[Finding, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether nothing but the form of files changed, and every record can be read."""
        changed = (self.documents, self.analyses, self.still, self.claims, self.gained, self.lost)
        return not any((*changed, self.unread_after)) and self.before.version == self.after.version

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data; each analysis says whether it moved, and its result."""
        document = dataclasses.asdict(self)
        for plain_one, one in zip(document["analyses"], self.analyses, strict=True):
            plain_one |= {"moved": one.moved, "another_result": one.another_result, "broken": one.broken}
        for name in ("unread_before", "unread_after", "gained", "lost"):
            document[name] = [finding.to_dict() for finding in getattr(self, name)]
        return {"nothing": self.nothing, **document}


def compare_data(before: Path, after: Path, *, names: tuple[str, str] | None = None) -> Comparison:
    """Compare two versions of the data.

    Only analyses that the change can move are run: those whose spec or review changed, or of which the rows, the
    reasons or the known sizes of the studies that answer the question differ, in the main analysis or a variation.
    Both sides are computed by this program, so that its own changes do not show.

    Parameters
    ----------
    before, after : Path
        Folders that hold studies/, with or without analyses/; or folders of records; or single records.
    names : tuple of (str, str), optional
        What the two sides are called; by default their paths.

    Returns
    -------
    Comparison

    Raises
    ------
    DataNotFoundError
        If a place is none of these.
    """
    called = names or (str(before), str(after))
    old, new = (Half(place, name) for place, name in zip((before, after), called, strict=True))
    start = Comparison(before=_stamp(old), after=_stamp(new), unread_before=old.unread, unread_after=new.unread)
    if old.files == new.files:
        return dataclasses.replace(start, untouched=len(new.spec_paths))
    footings = Footings(old, new)
    documents = (*_record_changes(footings), *_other_changes("review", old, new), *_other_changes("claim", old, new))
    analyses, runs = _analysis_changes(footings)
    failing = _failing(footings, runs)
    apart = {one.id for one in failing}
    moved = tuple(one for one in analyses if one.id not in apart and (one.moved or one.settings))
    still = _still(footings, {*apart, *(one.id for one in moved)})
    claims, kept = _claim_changes(footings, runs)
    gained, lost = _checks(old, new)
    return dataclasses.replace(
        start,
        documents=documents,
        rewritten=_rewritten(old, new, documents, {one.id for one in moved}),
        analyses=tuple(sorted(moved, key=lambda one: (not one.broken, _ORDER.index(one.purpose), one.id))),
        failing=failing,
        still=still,
        untouched=len({**old.spec_paths, **new.spec_paths}) - len(failing) - len(moved) - len(still),
        claims=claims,
        claims_kept=kept,
        gained=gained,
        lost=lost,
    )


_ORDER: Final = ("living", "reproduction", "exploratory")


def _stamp(half: Half) -> Stamp:
    return Stamp(name=half.name, version=half.dataset.version, records=len(half.dataset))


def _record_changes(footings: Footings) -> tuple[DocumentChange, ...]:
    old, new = footings.old, footings.new
    unread = [{Path(finding.file).stem for finding in half.unread} for half in (old, new)]
    found = []
    for name in sorted({*old.dataset.entries, *new.dataset.entries}):
        before, after = old.dataset.entries.get(name), new.dataset.entries.get(name)
        kind: DocumentKind = "changed"
        if after is None:
            kind = "broken" if name in unread[1] else "removed"
        elif before is None:
            kind = "mended" if name in unread[0] else "added"
        elif name not in footings.changed:
            continue
        here = after or before
        assert here is not None
        half = new if after is not None else old
        found.append(
            DocumentChange(
                what="record",
                id=name,
                label=here.study.label,
                kind=kind,
                fields=footings.changed.get(name, ()),
                standing=_standing(footings, half, name) if half.specs else None,
            )
        )
    return tuple(found)


def _standing(footings: Footings, half: Half, name: str) -> Standing:
    pools: list[str] = []
    without: list[tuple[str, str]] = []
    elsewhere: Counter[str] = Counter()
    for spec in half.specs.values():
        selected = footings.selection(half, spec)
        decision = next((one for one in selected.decisions if one.id == name), None) if selected else None
        if decision is None:
            continue
        if decision.included:
            pools.append(spec.id)
        elif decision.eligible:
            without.append((spec.id, decision.reason))
        else:
            elsewhere[decision.reason] += 1
    ranked = sorted(elsewhere.items(), key=lambda pair: (-pair[1], pair[0]))
    return Standing(pools=tuple(pools), without_number=tuple(without), elsewhere=tuple(ranked))


def _other_changes(what: Literal["review", "claim"], old: Half, new: Half) -> tuple[DocumentChange, ...]:
    found = []
    for name in sorted({*old.documents(what), *new.documents(what)}):
        before, after = (half.documents(what).get(name) for half in (old, new))
        if before is not None and after is not None and plain_text(before) == plain_text(after):
            continue
        kind: DocumentKind = "changed"
        if after is None:
            kind = "broken" if name in new.paths(what) else "removed"
        elif before is None:
            kind = "mended" if name in old.paths(what) else "added"
        here = after or before
        fields = (
            field_changes(plain_data(before), plain_data(after)) if before is not None and after is not None else ()
        )
        label = str(getattr(here, "title", None) or getattr(here, "label", None) or name)
        found.append(DocumentChange(what=what, id=name, label=label, kind=kind, fields=fields))
    return tuple(found)


def _analysis_changes(
    footings: Footings,
) -> tuple[tuple[AnalysisChange, ...], tuple[dict[str, Made], dict[str, Made]]]:
    """Run the analyses that are touched, on both sides."""
    old, new = footings.old, footings.new
    found: list[AnalysisChange] = []
    known: dict[str, Absolutes | NotApplicable] = {}
    runs: tuple[dict[str, Made], dict[str, Made]] = ({}, {})
    for name in sorted({*old.specs, *new.specs}):
        one, other = old.specs.get(name), new.specs.get(name)
        if not footings.can_move(one, other):
            continue
        before = made_of(one, old.dataset, known) if one is not None else _unreadable(old, name, other)
        selected = footings.selection(new, other) if other is not None else None
        if other is None:
            after = _unreadable(new, name, one)
        elif one is not None and before is not None and selected is not None and footings.same_rows(one, other):
            after = remade(before, selected, new.dataset)
        else:
            after = made_of(other, new.dataset, known)
        for made, kept in zip((before, after), runs, strict=True):
            if made is not None:
                kept[name] = made
        found.append(analysis_change(before, after, _of_the_review(footings, one, other)))
    return tuple(found), runs


def _failing(footings: Footings, runs: tuple[dict[str, Made], dict[str, Made]]) -> tuple[Failure, ...]:
    """List the analyses that are on both sides and run on neither; also of those that were not run for this."""
    old, new = footings.old, footings.new
    found = []
    for name in sorted({*old.spec_paths} & {*new.spec_paths}):
        reasons = [
            made[name].error if name in made else footings.failure(half, name)
            for half, made in zip((old, new), runs, strict=True)
        ]
        if all(reasons):
            spec = new.specs.get(name) or old.specs.get(name)
            title = spec.title if spec is not None else name
            found.append(Failure(id=name, title=title, before=reasons[0], after=reasons[1]))
    return tuple(found)


def _still(footings: Footings, moved: set[str]) -> tuple[str, ...]:
    """Name the analyses that have to do with what changed, and in which nothing is another."""
    old, new = footings.old.specs, footings.new.specs
    return tuple(
        name
        for name in sorted({*old, *new} - moved)
        if footings.can_move(old.get(name), new.get(name)) or footings.uses(old.get(name), new.get(name))
    )


def _unreadable(half: Half, name: str, twin: Spec | None) -> Made | None:
    """Return an analysis whose spec is there and cannot be read; None where it is not there."""
    if name not in half.spec_paths or twin is None:
        return None
    return Made(spec=twin, run=None, error=UNREADABLE)


def _of_the_review(footings: Footings, before: Spec | None, after: Spec | None) -> tuple[FieldChange, ...]:
    """List what changed in the inputs that a review entered, where these are pooled."""
    if before is None or after is None or before.studies.inputs_of != after.studies.inputs_of:
        return ()
    name = after.studies.inputs_of or ""
    one, other = (half.reviews.get(name) for half in (footings.old, footings.new))
    if one is None or other is None:
        return ()
    return field_changes(plain_data(one).get("inputs"), plain_data(other).get("inputs"), "inputs")


def _claim_changes(
    footings: Footings, runs: tuple[dict[str, Made], dict[str, Made]]
) -> tuple[tuple[ClaimChange, ...], tuple[str, ...]]:
    """Judge the claims that rest on what is touched, on both sides."""
    old, new = footings.old, footings.new
    changed: list[ClaimChange] = []
    kept: list[str] = []
    for name in sorted({*old.claims, *new.claims}):
        one, other = old.claims.get(name), new.claims.get(name)
        if not _claim_touched(footings, one, other, {*runs[0], *runs[1]}):
            continue
        before, after = (
            _judged(claim, half, made) for claim, half, made in zip((one, other), (old, new), runs, strict=True)
        )
        if before[0] == after[0]:
            kept.append(name)
            continue
        here = other or one
        assert here is not None
        changed.append(
            ClaimChange(
                id=name,
                title=here.title,
                before=before[0],
                after=after[0],
                reason_before=before[1],
                reason_after=after[1],
            )
        )
    return tuple(changed), tuple(kept)


def _claim_touched(footings: Footings, before: Claim | None, after: Claim | None, analyses: set[str]) -> bool:
    if before is None or after is None or plain_text(before) != plain_text(after):
        return True
    return any(
        ground.analysis in analyses
        or (after.spec(ground) is not None and footings.can_move(before.spec(ground), after.spec(ground)))
        for ground in after.decided_on
    )


def _judged(claim: Claim | None, half: Half, made: Mapping[str, Made]) -> tuple[str, str]:
    """Return verdict and reason; both empty where there is no such claim."""
    if claim is None:
        return "", ""
    runs = {name: one.run for name, one in made.items() if one.run is not None}
    try:
        verdict: ClaimVerdict = judge(claim, half.dataset, runs)
    except CANNOT_RUN as error:
        return "cannot-be-judged", " ".join(str(error).split())
    return verdict.verdict, verdict.reason


def _checks(old: Half, new: Half) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return findings gained and lost, those of unreadable records aside: these are shown by themselves."""
    apart = {finding.file for half in (old, new) for finding in half.unread}
    whole = not _only_records_changed(old, new)
    found = (half.findings if whole else check_records(half.dataset) for half in (old, new))
    before, after = ([one for one in findings if one.file not in apart] for findings in found)
    return (*_without(after, before), *_reopened(old, new)), _without(before, after)


def _reopened(old: Half, new: Half) -> tuple[Finding, ...]:
    try:
        before, after = (closed_version(half.place / "studies") for half in (old, new))
    except ReadError:  # its own finding
        return ()
    return reopened(before, after, new.dataset.version) if new.is_dataset else ()


def _only_records_changed(old: Half, new: Half) -> bool:
    """Tell whether both sides have the same records by name, and all other files are the same.

    Then what is found in those other files is the same too, and need not be looked for.
    """
    others = ({name: data for name, data in half.files.items() if name.startswith("analyses/")} for half in (old, new))
    one, other = others
    same_names = [*old.dataset.entries] == [*new.dataset.entries]
    return old.is_dataset and new.is_dataset and same_names and one == other


def _without(findings: Iterable[Finding], others: Iterable[Finding]) -> tuple[Finding, ...]:
    left = Counter(map(_said, others))
    rest = []
    for finding in findings:
        if left[_said(finding)]:
            left[_said(finding)] -= 1
        else:
            rest.append(finding)
    return tuple(rest)


def _said(finding: Finding) -> tuple[str, str, str]:
    return finding.file, finding.check, finding.what


def _rewritten(old: Half, new: Half, documents: Sequence[DocumentChange], analyses: set[str]) -> tuple[str, ...]:
    """Name the files on both sides whose bytes differ and whose meaning does not."""
    meant = {(one.what, one.id) for one in documents} | {("analysis", name) for name in analyses}
    apart = {finding.file for half in (old, new) for finding in half.unread}
    kinds = {"analyses/published": "review", "analyses/claims": "claim", "analyses": "analysis"}
    found = []
    for name in sorted({*old.files} & {*new.files}):
        folder, _, file = name.rpartition("/")
        known = (kinds.get(folder, "record"), file.removesuffix(".yaml"))
        # What a version held is judged by a check of its own, and a new version is said at the top.
        about = file == CLOSED_FILE or (file == "_dataset.yaml" and old.dataset.version != new.dataset.version)
        if old.files[name] != new.files[name] and known not in meant and name not in apart and not about:
            found.append(name)
    return tuple(found)
