"""Many damaged copies of the shipped records: what comes of each, and how long it takes.

A copy that is refused with a place is well. One that the reader accepts must be one of these; a check may still find
something in it:

- ``same``: it reads as before;
- ``text``: only free text differs, such as a note, a definition or a name;
- ``removed``: an optional part was cut out, and all else is as before: a number that is not there changes none;
- ``number``: the digits of one number were typed anew by the damage. Then `validate` finds that a number of a closed
  version changed and the log does not say so, whether or not another number of the record contradicts it.

`diff` lists every field that these change, of a number with its digits before and after: `shown_by_diff` fails where it
does not. Whatever else is accepted is a number changed in silence:
`tests.dataset.test_damaged_records.assess` fails on it.
"""

import re
import time
from collections import Counter
from functools import lru_cache

from ipsevidence.analysis.field_changes import field_changes
from ipsevidence.analysis.footings import plain_text
from ipsevidence.dataset.checks import check_entry
from ipsevidence.dataset.closing import ClosedVersion, closed_record, unlogged
from ipsevidence.dataset.collection import read_entry
from ipsevidence.dataset.reader import ReadError, parse, plain, read
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.writer import canonical
from tests.dataset.mutations import damage
from tests.dataset.test_damaged_records import RECORDS, assess, differences

LONGEST = 1.0
"""Seconds of processor time that one copy may take."""
ROUND = 46
"""Copies of one record in a row, so that its places are looked for once; no multiple of the number of kinds."""


def record_of(seed):
    return RECORDS[seed // ROUND % len(RECORDS)]


def outcome_of(original, done):
    """Return (what came of a copy, whether a check found something in what the reader accepted)."""
    if assess(original, done) == "refused":
        return "refused", False
    entry = read_entry(done.data, f"studies/{re.search(r'^id: (.+)$', original.decode(), re.MULTILINE)[1]}.yaml")
    told = any(found.severity == "error" for found in (*check_entry(entry), *unlogged(entry, closed(original))))
    now = plain(entry.tree)
    again = parse(canonical(entry.tree, Study).encode(), file="x")
    assert plain(again) == now, (done.kind, done.what, "the canonical form says something else")
    before = plain(parse(original, file="f"))
    found = [(kind, old, new) for _, kind, old, new in differences(before, now)]
    kinds = {kind for kind, _, _ in found}
    if kinds:
        assert plain_text(entry.study) != study_text(original), (done.what, "diff would not look at it")
        shown_by_diff(before, now, [(str(old), str(new)) for kind, old, new in found if kind == "number"])
    for kind in ("number", "removed", "text"):
        if kind in kinds:
            return kind, told
    return "same", told


def shown_by_diff(before, after, numbers):
    """AssertionError where `diff` lists no field, or not each number that changed, as it was and as it is."""
    changes = field_changes(before, after)
    assert changes
    listed = {(one.before, one.after) for one in changes if one.number}
    assert listed >= set(numbers), (numbers, listed)


@lru_cache(maxsize=8)
def closed(data):
    """Return a version in which the record is as it is before the damage."""
    entry = read_entry(data, "studies/x.yaml")
    return ClosedVersion(schema=1, version="0", records={entry.study.id: closed_record(entry)})


@lru_cache(maxsize=8)
def study_text(data):
    return plain_text(read(data, Study, file="x.yaml")[0])


def campaign(start, stop):
    """Damage, read and check one copy for each seed; return the outcomes and the slowest (seconds, kind, seed)."""
    counts, slowest = Counter(), (0.0, "", -1)
    for seed in range(start, stop):
        original = record_of(seed)
        done = damage(original, seed)
        began = time.process_time()
        try:
            outcome, told = outcome_of(original, done)
        except (AssertionError, ReadError):
            raise
        except Exception as error:
            raise AssertionError(f"seed {seed}: {done.kind}, {done.what[:200]}: {error!r}") from error
        slowest = max(slowest, (time.process_time() - began, done.kind, seed))
        counts[f"{outcome}, found by a check" if told else outcome] += 1
    return counts, slowest
