"""The effect of a change in words and tables, for the terminal and for Markdown alike."""

import dataclasses
import math
from collections.abc import Iterable, Iterator

from ipsevidence.analysis.analysis_changes import AnalysisChange, ForestRow, Numbers, PartChange, Side
from ipsevidence.analysis.comparing import Comparison, DocumentChange, Standing
from ipsevidence.core import MEASURES
from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.vocabulary import BASIS
from ipsevidence.figures.numbers import Numerals
from ipsevidence.report.table import Table, make
from ipsevidence.report.tables import DIFFERENCES, numerals, persons

__all__ = ["sides", "summary", "tables"]

_LONGEST = 160
_MOST_NAMES = 12
_MOST_REASONS = 4
_FINEST = 4
"""Decimals that are added, one by one, where two different numbers would be written alike."""


def sides(found: Comparison) -> tuple[str, str]:
    """Name the two sides: ``before: HEAD, version 2026.1, 200 records``."""
    return tuple(
        f"{word}: {_short(stamp.name)}, {f'version {_short(stamp.version)}, ' if stamp.version else ''}"
        f"{_counted(stamp.records, 'record')}"
        for word, stamp in (("before", found.before), ("after", found.after))
    )  # type: ignore[return-value]


def summary(found: Comparison) -> tuple[str, ...]:
    """Say what changed and what did not, in a few sentences."""
    if found.nothing:
        return (_no_effect(found),)
    lines = [f"{_counts_of_documents(found.documents)}.", _on_analyses(found)]
    if found.claims or found.claims_kept:
        judged = len(found.claims) + len(found.claims_kept)
        changed = f"{len(found.claims)} with another verdict" if found.claims else "all with the same verdict"
        lines.append(f"{_counted(judged, 'claim')} judged anew, {changed}.")
    gained, lost = len(found.gained), len(found.lost)
    lines.append(f"Checks: {gained} gained, {lost} lost." if gained or lost else "Checks find the same.")
    if found.rewritten:
        lines.append(f"Of {_counted(len(found.rewritten), 'file')} only the form changed: {_names(found.rewritten)}.")
    return tuple(lines)


def tables(found: Comparison) -> tuple[Table, ...]:
    """Return every table that has rows, in the order in which a reviewer reads them."""
    made = (
        _unread(found),
        _failing(found),
        _documents(found),
        _standings(found),
        _moves(found),
        _rows(found),
        _decisions(found),
        _verdicts(found),
        _claims(found),
        _checks("Checks gained", found.gained),
        _checks("Checks lost", found.lost),
        _settings(found),
        _parts(found),
    )
    return tuple(table for table in made if table.rows)


def _no_effect(found: Comparison) -> str:
    if not found.rewritten:
        return "Nothing changed: the two sides are the same."
    files = f"{_counted(len(found.rewritten), 'file')} ({_names(found.rewritten)})"
    return (
        f"Nothing changed but the form of {files}: comments, the order of keys, quotes or line breaks. "
        "No number, decision, verdict or check is another."
    )


def _counts_of_documents(documents: tuple[DocumentChange, ...]) -> str:
    words = {"broken": "that cannot be read any more", "mended": "that can be read again"}
    parts = []
    for what in ("record", "review", "claim"):
        for kind in ("added", "removed", "changed", "broken", "mended"):
            count = sum(one.what == what and one.kind == kind for one in documents)
            if count:
                parts.append(f"{_counted(count, what)} {words.get(kind, kind)}")
    return ", ".join(parts) or "No record, review or claim changed"


def _on_analyses(found: Comparison) -> str:
    total = len(found.analyses) + len(found.failing) + len(found.still) + found.untouched
    if not total:
        return "There are no analyses beside these records."
    results = sum(one.another_result for one in found.analyses)
    moved = sum(one.moved for one in found.analyses) - results
    settings = len(found.analyses) - moved - results
    have = "has" if results == 1 else "have"
    broken = [one.id for one in found.analyses if one.broken]
    parts = [f"{len(broken)} cannot be run any more ({_names(broken)})"] if broken else []
    parts.append(f"{results or 'None'} of {_counted(total, 'analysis', 'analyses')} {have} another result")
    if moved:
        parts.append(f"{moved} another coverage, decision, verdict or part, and the same result")
    if settings:
        parts.append(f"{settings} another setting, and the same result")
    if found.still:
        parts.append(f"{len(found.still)} touched without another number ({_names(found.still)})")
    if found.failing:
        names = _names(one.id for one in found.failing)
        parts.append(f"{len(found.failing)} cannot be run, neither before nor after ({names})")
    parts.append(f"{found.untouched} untouched")
    return f"{'; '.join(parts)}."


def _unread(found: Comparison) -> Table:
    rows = [
        (word, f"{one.file}:{one.line}:{one.column}", one.check, _short(one.what), _short(one.fix))
        for word, findings in (("after", found.unread_after), ("before", found.unread_before))
        for one in findings
    ]
    notes = ("The rest was compared without them.",)
    return make("Records that cannot be read", "Side|Place|Check|What|Fix", rows, notes)


def _failing(found: Comparison) -> Table:
    """Analyses that cannot be run: first those that could be before this change."""
    rows = [
        (f"{one.id}: {_short(one.title)}", "could be run" if one.before else "not there", _short(one.after.error))
        for one in found.analyses
        if one.broken and one.after is not None
    ]
    rows += [
        (
            f"{one.id}: {_short(one.title)}",
            _short(one.before),
            "the same" if one.after == one.before else _short(one.after),
        )
        for one in found.failing
    ]
    return make("Analyses that cannot be run", "Analysis|Before|After", rows)


def _documents(found: Comparison) -> Table:
    rows: list[tuple[str, ...]] = []
    for one in found.documents:
        label = "" if one.label == one.id else f" ({_short(one.label)})"
        head = f"{'' if one.what == 'record' else f'{one.what} '}{one.id}{label}"
        if not one.fields:
            rows.append((head, one.kind, "", ""))
        # Numbers first: they are what a reviewer looks up in the source.
        for field in sorted(one.fields, key=lambda field: not field.number):
            rows.append((head, _short(field.path), _short(field.before) or "–", _short(field.after) or "–"))
            head = ""
    return make("Records, reviews and claims", "Which|Field|Before|After", rows)


def _standings(found: Comparison) -> Table:
    """Where each record stands that is new or gone; of one that changed the decisions say it."""
    rows = []
    for one in found.documents:
        standing = one.standing
        if standing is None or one.kind == "changed":
            continue
        absent: dict[str, list[str]] = {}
        for spec, reason in standing.without_number:
            absent.setdefault(reason, []).append(spec)
        reasons = [f"{_short(reason)} ({_names(specs)})" for reason, specs in absent.items()]
        more = len(reasons) - _MOST_REASONS
        without = "; ".join([*reasons[:_MOST_REASONS], *([f"{more} other reasons"] if more > 0 else [])])
        when = "before" if one.kind in ("removed", "broken") else "now"
        rows.append((one.id, when, _names(standing.pools) or "none", without or "none", _elsewhere(standing)))
    heading = "Record|When|In the pool of|Eligible, not in the pool|Another question, with the count of analyses"
    return make("Where these records stand", heading, rows)


def _elsewhere(standing: Standing) -> str:
    parts = [f"{_short(reason)} ({count})" for reason, count in standing.elsewhere[:_MOST_REASONS]]
    rest = sum(count for _, count in standing.elsewhere[_MOST_REASONS:])
    return "; ".join([*parts, *([f"other reasons ({rest})"] if rest else [])]) or "none"


def _moves(found: Comparison) -> Table:
    """Each analysis with its quantities; those that came to the same, before and after, share their lines."""
    grouped: dict[tuple[tuple[str, str, str], ...], list[AnalysisChange]] = {}
    for one in found.analyses:
        grouped.setdefault((("purpose", one.purpose, one.kind), *_lines(one)), []).append(one)
    purposes = list(dict.fromkeys(one.purpose for one in found.analyses))
    ranked = sorted(grouped.items(), key=lambda pair: _rank(purposes, pair[1]))
    rows: list[tuple[str, ...]] = []
    for (_, *lines), members in ranked:
        # The one with the most parts stands for the others: these are groupings of the same pool.
        first = min(members, key=lambda one: (-len(one.parts), len(one.id), one.id))
        head = f"{first.id}: {_short(first.title)}{'' if first.kind == 'changed' else f' ({first.kind})'}"
        others = [one.id for one in members if one is not first]
        same = [("the same in", _names(others), "")] if others else []
        for line in (*lines, *same):
            rows.append((head, *line))
            head = ""
    return make("Analyses", "Analysis|Quantity|Before|After", rows)


def _rank(purposes: list[str], members: list[AnalysisChange]) -> tuple[bool, bool, int, int]:
    """Put what cannot be run any more first, then another result, then by purpose, then what most analyses share."""
    first = members[0]
    return not first.broken, not first.another_result, purposes.index(first.purpose), -len(members)


def _lines(one: AnalysisChange) -> list[tuple[str, str, str]]:
    """Write quantity, before and after; what is unchanged stands on one line."""
    if one.before is None or one.after is None:
        here = one.after or one.before
        assert here is not None
        new = one.before is None
        return [(name, "–" if new else text, text if new else "–") for name, text in _quantities(here, 0).items()]
    pairs = list(_moved_quantities(one))
    kept = "; ".join(f"{name} {after}" for name, before, after in pairs if before == after)
    moved = [(name, before or "–", after or "–") for name, before, after in pairs if before != after]
    return [*moved, *([("unchanged", kept, "")] if kept else [])]


def _moved_quantities(one: AnalysisChange) -> Iterator[tuple[str, str, str]]:
    """Yield each quantity on both sides, with as many digits as tell two different numbers apart."""
    assert one.before is not None
    assert one.after is not None
    written = [(_quantities(one.before, extra), _quantities(one.after, extra)) for extra in range(_FINEST + 1)]
    for name in dict.fromkeys((*written[0][1], *written[0][0])):
        pairs = [(before.get(name, ""), after.get(name, "")) for before, after in written]
        yield name, *next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def _quantities(side: Side, extra: int) -> dict[str, str]:
    """Write what an analysis came to on one side; a quantity that it does not have is not there."""
    if side.numbers is None:
        return {"result": f"cannot be run: {_short(side.error)}"}
    numbers, found = side.numbers, {"k": f"{side.numbers.k}"}
    found["effect"] = _effect(numbers, extra)
    if not math.isnan(numbers.prediction_low):
        write = _numerals(numbers.measure, extra)
        found["prediction interval"] = write.range(numbers.prediction_low, numbers.prediction_high)
    if not math.isnan(numbers.tau2):
        found["tau2"] = _numerals(numbers.measure, extra).tau2(numbers.tau2)
    if side.answer is not None:
        a = side.answer

        def people(value: float) -> str:
            return DIFFERENCES.fixed(value, extra)

        found["of 100 people"] = (
            f"{people(a.without)} without, {people(a.more)} more ({people(a.low)} to {people(a.high)})"
        )
    if side.reach is not None:
        reach = side.reach
        found["coverage"] = (
            f"{reach.k} of {reach.eligible} {reach.what},"
            f" {persons(reach.participants)} of {persons(reach.known)} known participants"
        )
    else:
        found["participants"] = persons(side.participants)
    return found


def _effect(numbers: Numbers, extra: int = 0) -> str:
    if math.isnan(numbers.estimate):
        return f"no pool: {_short(numbers.why)}" if numbers.why else "no pool"
    write = _numerals(numbers.measure, extra)
    bounds = "" if math.isnan(numbers.low) else f" {write.interval(numbers.low, numbers.high)}"
    return f"{numbers.measure} {write.effect(numbers.estimate)}{bounds}"


def _numerals(measure: str, extra: int) -> Numerals:
    write = numerals(measure) if measure in MEASURES else DIFFERENCES
    first = 2 if measure in MEASURES else 3
    return dataclasses.replace(write, effect_digits=first + extra, tau2_digits=write.tau2_digits + extra)


def _rows(found: Comparison) -> Table:
    """One line for each way in which a row of a forest plot changed, with the weight in each analysis."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for one in found.analyses:
        for row in one.rows:
            label = "" if row.label == row.id else f" ({_short(row.label)})"
            key = (f"{row.id}{label}", _row(row.before), _row(row.after))
            grouped.setdefault(key, []).append(f"{one.id} {_weights(row.before, row.after)}")
    rows = [(*key, _names(places)) for key, places in grouped.items()]
    return make("Rows of the forest plots", "Study|Before|After|Weight in", rows)


def _row(row: ForestRow | None) -> str:
    if row is None:
        return "–"
    write = _numerals(row.measure, 0)
    effect = f"{row.measure} {write.effect(row.estimate)} {write.interval(row.low, row.high)}"
    return ", ".join(part for part in (row.counts, effect, BASIS[row.basis].label if row.basis else "") if part)


def _weights(before: ForestRow | None, after: ForestRow | None) -> str:
    old, new = (
        "" if row is None or math.isnan(row.weight) else f"{DIFFERENCES.weight(row.weight)}%" for row in (before, after)
    )
    return f"{old or '–'} → {new or '–'}"


def _decisions(found: Comparison) -> Table:
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for one in found.analyses:
        for decision in one.decisions:
            key = (decision.id, _short(decision.before) or "no record", _short(decision.after) or "no record")
            grouped.setdefault(key, []).append(one.id)
    rows = [(*key, _names(places)) for key, places in grouped.items()]
    return make("Decisions", "Study|Before|After|Analyses", rows)


def _verdicts(found: Comparison) -> Table:
    rows = [
        (one.id, _short(verdict.label), verdict.published or "–", verdict.before or "–", verdict.after or "–")
        for one in found.analyses
        for verdict in one.verdicts
    ]
    return make("Verdicts on published figures", "Analysis|Figure|Published|Before|After", rows)


def _claims(found: Comparison) -> Table:
    rows = [
        (
            f"{one.id}: {_short(one.title)}",
            f"{one.before}: {_short(one.reason_before)}" if one.before else "–",
            f"{one.after}: {_short(one.reason_after)}" if one.after else "–",
        )
        for one in found.claims
    ]
    return make("Claims with another verdict", "Claim|Before|After", rows)


def _checks(title: str, findings: Iterable[Finding]) -> Table:
    rows = [
        (one.severity, f"{one.file}:{one.line}:{one.column}", one.check, _short(one.what), _short(one.fix))
        for one in findings
    ]
    return make(title, "Severity|Place|Check|What|Fix", rows)


def _settings(found: Comparison) -> Table:
    rows = [
        (one.id, _short(field.path), _short(field.before) or "–", _short(field.after) or "–")
        for one in found.analyses
        for field in one.settings
    ]
    return make("Settings of analyses", "Analysis|Setting|Before|After", rows)


def _parts(found: Comparison) -> Table:
    rows = [
        (one.id, f"{part.kind}: {_short(part.label)}", *_part(part)) for one in found.analyses for part in one.parts
    ]
    return make("Groups, sensitivity analyses, comparisons, moderators", "Analysis|Part|Before|After", rows)


def _part(part: PartChange) -> tuple[str, str]:
    pairs = [
        tuple("–" if one is None else f"k {one.k}, {_effect(one, extra)}" for one in (part.before, part.after))
        for extra in range(_FINEST + 1)
    ]
    before, after = next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])
    return before, after


def _names(names: Iterable[str]) -> str:
    """List names, no more than can be read."""
    given = [_short(name) for name in names]
    more = len(given) - _MOST_NAMES
    return ", ".join(given) if more <= 0 else f"{', '.join(given[:_MOST_NAMES])} and {more} more"


def _counted(count: int, noun: str, plural: str = "") -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {plural or f'{noun}s'}"


def _short(text: str) -> str:
    """Cut a stranger's text to what a table can hold, and keep it from reading as a command of a workflow."""
    line = " ".join(text.split()).replace("::", ": :")
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
