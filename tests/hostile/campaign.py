"""Many damaged copies of the shipped records: what comes of each, and how long it takes.

A copy that is refused with a place is well. One that the reader accepts must be one of these; a check may still find
something in it:

- ``same``: it reads as before;
- ``text``: only free text differs, such as a note, a definition or a name;
- ``removed``: an optional part was cut out, and all else is as before: a number that is not there changes none;
- ``number``: the digits of one number were typed anew by the damage, the number that is read is the one that stands
  there, and nothing else in the record contradicts it. No machine can know that it is wrong: only the source does.

Whatever else is accepted is a number changed in silence, and `tests.dataset.test_damaged_records.assess` fails on it.
"""

import re
import time
from collections import Counter

from ipsevidence.dataset.checks import check_entry
from ipsevidence.dataset.collection import read_entry
from ipsevidence.dataset.reader import ReadError, parse, plain
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
    told = any(found.severity == "error" for found in check_entry(entry))
    now = plain(entry.tree)
    again = parse(canonical(entry.tree, Study).encode(), file="x")
    assert plain(again) == now, (done.kind, done.what, "the canonical form says something else")
    kinds = {kind for _, kind, _, _ in differences(plain(parse(original, file="f")), now)}
    for kind in ("number", "removed", "text"):
        if kind in kinds:
            return kind, told
    return "same", told


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
