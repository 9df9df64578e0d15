"""Damaged copies of the shipped records are refused with a place, or read as what they are; no number changes."""

import re
from pathlib import Path

import pytest

from ipsevidence.dataset import shape
from ipsevidence.dataset.reader import ReadError, parse, plain, read
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.tree import Scalar
from tests.dataset.mutations import KINDS, Damage, damage

RECORDS = [
    path.read_bytes() for path in sorted((Path(__file__).parents[2] / "studies").glob("*.yaml")) if path.name[0] != "_"
]
COPIES = 200
PLACE = re.compile(r"studies/x\.yaml:[1-9][0-9]*:[1-9][0-9]*  error  [a-z0-9-]+\n    .+\n    fix: .+")


def differences(before, after, allowed=(Study,), path=()):
    """Yield what differs: (path, kind, before, after); the kinds are text, term, number, type, removed and added."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from entry_differences(before, after, shape.inside(allowed, key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from list_differences(before, after, allowed, path)
    elif type(before) is not type(after) and {type(before), type(after)} & {dict, list, str, bool}:
        yield path, "type", before, after
    elif str(before) != str(after):
        is_text = isinstance(before, str)
        yield path, ("term" if shape.terms(allowed) else "text") if is_text else "number", before, after


def entry_differences(before, after, allowed, path):
    key = path[-1]
    if key in before and key in after:
        yield from differences(before[key], after[key], allowed, path)
    else:
        yield path, "removed" if key in before else "added", before.get(key), after.get(key)


def list_differences(before, after, allowed, path):
    rest = iter(before)
    if len(after) < len(before) and all(any(item == other for other in rest) for item in after):
        yield path, "removed", before, after
        return
    if len(before) != len(after):
        yield path, "removed" if len(after) < len(before) else "added", before, after
    for number, (one, other) in enumerate(zip(before, after, strict=False)):
        yield from differences(one, other, shape.inside(allowed, number), (*path, number))


def one_edit_apart(one: str, other: str) -> bool:
    """Tell whether one character was changed, lost or added."""
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return (
        other[start:] == one[start + 1 :] or one[start:] == other[start + 1 :] or one[start + 1 :] == other[start + 1 :]
    )


def assess(original: bytes, done: Damage) -> str:
    """Return what came of a damaged record; AssertionError where a number changed silently or an error has no place."""
    found = ()
    try:
        _, tree = read(done.data, Study, file="studies/x.yaml")
    except ReadError as error:
        found = error.findings
    if found:
        for each in found:
            assert PLACE.fullmatch(str(each))
            assert each.line <= done.data.count(b"\n") + 1
        return "refused"
    assert done.outcome != "refused", done
    before = plain(parse(original, file="f"))
    # the name of a source may be anything; that the references to it resolve is for the checks
    found = [each for each in differences(before, plain(tree)) if not (each[0][0] == "sources" and len(each[0]) == 2)]
    kinds = [kind for _, kind, _, _ in found]
    allowed = {
        "same": set(),
        "text": {"text"},
        "digits": {"number"},
        "removed": {"removed", "text"},
        "random": {"text", "number"},
    }[done.outcome]
    assert set(kinds) <= allowed, (done.kind, done.what, found)
    numbers = [(str(old), str(new)) for _, kind, old, new in found if kind == "number"]
    assert len(numbers) <= 1, (done.kind, done.what, numbers)
    for old, new in numbers:
        if done.outcome == "random":
            assert one_edit_apart(old, new), (done.what, old, new)
        else:
            assert f"{old} became {new}" in done.what, (done.what, old, new)
    return "read"


@pytest.mark.parametrize("seed", range(COPIES))
def test_a_damaged_record_is_refused_with_a_place_or_read_as_what_it_is(seed):
    original = RECORDS[seed % len(RECORDS)]
    assess(original, damage(original, seed))


def test_every_kind_of_damage_is_done():
    # another step through the records, so that a kind does not always meet the same few
    done = {damage(RECORDS[7 * seed % len(RECORDS)], seed).kind for seed in range(2 * COPIES)}
    assert done == set(KINDS)


def test_damage_is_the_same_for_the_same_seed():
    assert damage(RECORDS[0], 7) == damage(RECORDS[0], 7)


def test_most_damage_is_refused():
    outcomes = [assess(RECORDS[0], damage(RECORDS[0], seed)) for seed in range(len(KINDS))]
    assert outcomes.count("refused") > 0.7 * len(outcomes)


def test_a_shipped_record_is_not_refused():
    for original in RECORDS:
        assert isinstance(read(original, Study, file="f")[1].pairs[0][0], Scalar)
