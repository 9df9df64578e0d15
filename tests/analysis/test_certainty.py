"""Certainty by GRADE: what people judged is taken, and a rating that does not follow from it is refused."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ipsevidence.analysis.certainty import RATINGS, Certainty
from ipsevidence.analysis.running import run, varied_spec
from ipsevidence.analysis.selection import SelectionError
from ipsevidence.analysis.spec import Spec, StudyChoice
from ipsevidence.analysis.specfiles import find_spec, spec_files
from ipsevidence.dataset import vocabulary
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.reader import ReadError, parse, read
from ipsevidence.dataset.writer import canonical

ROOT = Path(__file__).parents[2]

SPEC = """schema: 1
id: judged
title: made up
purpose: living
question: {population: made up, intervention: made up, comparator: made up, outcome: made up}
studies: {where: {}}
certainty:
  rating: low
  domains:
    risk_of_bias: {judgement: serious, because: nobody was blinded}
    inconsistency: {judgement: serious, because: effects differ}
    indirectness: {judgement: not-serious}
    imprecision: {judgement: not-serious}
    publication_bias: {judgement: undetected}
  by: [First Reviewer, Second Reviewer]
  date: "2026-11-22"
"""


@pytest.fixture(scope="module")
def shipped():
    return load(ROOT)


def judged(rating, *, start="high", raised=(), **changes):
    words = dict.fromkeys(("risk_of_bias", "inconsistency", "indirectness", "imprecision"), "not-serious")
    words = {**words, "publication_bias": "undetected", **changes}
    return Certainty.model_validate(
        {
            "rating": rating,
            "start": start,
            "domains": {key: {"judgement": word, "because": "made up"} for key, word in words.items()},
            "raised": tuple({"reason": reason, "because": "made up"} for reason in raised),
            "by": ("A",),
            "date": "2026-11-22",
        }
    )


# The cells of GRADE's own table (Balshem 2011): where evidence starts, what lowers, what raises, and where it ends.
@pytest.mark.parametrize(
    ("start", "changes", "raised", "rating"),
    [
        ("high", {}, (), "high"),
        ("low", {}, (), "low"),
        ("high", {"imprecision": "serious"}, (), "moderate"),
        ("high", {"publication_bias": "strongly-suspected"}, (), "moderate"),
        ("high", {"risk_of_bias": "very-serious"}, (), "low"),
        ("high", {"imprecision": "serious", "indirectness": "serious"}, (), "low"),
        ("high", {"imprecision": "extremely-serious"}, (), "very-low"),
        ("low", {"imprecision": "very-serious"}, (), "very-low"),
        ("low", {}, ("large-effect",), "moderate"),
        ("low", {}, ("very-large-effect",), "high"),
        ("low", {}, ("very-large-effect", "dose-response"), "high"),
        ("low", {}, ("dose-response", "opposing-confounding"), "high"),
    ],
)
def test_the_rating_that_follows_is_taken_and_every_other_is_refused(start, changes, raised, rating):
    assert judged(rating, start=start, raised=raised, **changes).follows == rating
    for other in set(RATINGS) - {rating}:
        with pytest.raises(ValidationError, match=f"the rating is {other}, but from {start} the judgements lead to"):
            judged(other, start=start, raised=raised, **changes)


@given(st.lists(st.sampled_from(("not-serious", "serious", "very-serious")), min_size=4, max_size=4))
def test_a_graver_concern_never_gives_a_higher_rating(words):
    keys = ("risk_of_bias", "inconsistency", "indirectness", "imprecision")
    graver = {"not-serious": "serious", "serious": "very-serious", "very-serious": "very-serious"}

    def follows(changes):
        found = [rating for rating in RATINGS if _taken(rating, changes)]
        assert len(found) == 1
        return RATINGS.index(found[0])

    base = dict(zip(keys, words, strict=True))
    for key in keys:
        assert follows({**base, key: graver[base[key]]}) <= follows(base)


def _taken(rating, changes):
    try:
        judged(rating, **changes)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("raised", "changes"),
    [(("large-effect",), {"imprecision": "serious"}), (("large-effect", "very-large-effect"), {})],
)
def test_what_cannot_raise_does_not(raised, changes):
    for rating in RATINGS:
        with pytest.raises(ValidationError, match="raise"):
            judged(rating, start="low", raised=raised, **changes)


def findings(text):
    with pytest.raises(ReadError) as caught:
        read(text.encode(), Spec, file="judged.yaml")
    return caught.value.findings


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "fix"),
    [
        ("rating: low", "rating: moderate", 8, "the judgements lead to low", "write `rating: low`"),
        (", because: nobody was blinded", "", 10, "does not say why", "add `because: ...`"),
        ("    imprecision: {judgement: not-serious}\n", "", 10, "the key `imprecision` is missing", "add `imprecision"),
        ("judgement: undetected", "judgement: serious", 14, "one of a closed list", "strongly-suspected"),
        (
            "risk_of_bias: {judgement: serious",
            "risk_of_bias: {judgement: extremely-serious",
            10,
            "closed list",
            "very-",
        ),
        ("where: {}", "where: {designs: [rct, quasi-experimental]}", 8, "starts at high", "write `start: low`"),
        ("where: {}", "where: {designs: []}", 8, "starts at high", "write `start: low`"),
        ("  by: [First Reviewer, Second Reviewer]\n", "", 8, "the key `by` is missing", "add `by"),
    ],
)
def test_what_is_wrong_is_said_at_its_line_with_a_fix(old, new, line, what, fix):
    assert old in SPEC
    (found,) = findings(SPEC.replace(old, new))
    assert (found.line, found.severity) == (line, "error")
    assert what in found.what
    assert fix in found.fix


def test_evidence_that_is_not_randomised_starts_at_low():
    text = SPEC.replace("where: {}", "where: {designs: [quasi-experimental]}")
    lower = text.replace("rating: low", "rating: very-low\n  start: low")
    assert read(lower.encode(), Spec, file="judged.yaml")[0].certainty.rating == "very-low"
    assert findings(text.replace("rating: low", "rating: low\n  start: high"))[0].line == 9


def test_the_canonical_form_keeps_it():
    tree = parse(SPEC.encode(), file="judged.yaml")
    text = canonical(tree, Spec)
    assert canonical(parse(text.encode(), file="judged.yaml"), Spec) == text
    first, second = (read(one.encode(), Spec, file="judged.yaml")[0] for one in (SPEC, text))
    assert first == second
    assert first.resolved()["certainty"]["domains"]["risk_of_bias"]["because"] == "nobody was blinded"


def test_what_nobody_judged_is_not_in_the_resolved_spec():
    for name in spec_files(ROOT):
        spec = find_spec(name, ROOT)
        assert spec.certainty is None, f"{name}: who judged it?"
        assert "certainty" not in spec.resolved()


def test_it_is_of_the_analysis_and_of_no_variation():
    base = find_spec("primary", ROOT).model_copy(update={"certainty": judged("high")})
    assert all(varied_spec(base, variation).certainty is None for variation in base.sensitivity)


def test_a_list_with_other_designs_starts_at_low_too(shipped):
    base = find_spec("bond-2019-nine-rcts", ROOT).model_copy(update={"sensitivity": ()})
    assert run(base.model_copy(update={"certainty": judged("high")}), shipped).spec.certainty is not None
    name = next(row.id for row in run("quasi-experiments", shipped).rows)
    choice = StudyChoice(id=name)
    mixed = find_spec("quasi-experiments", ROOT)
    studies = mixed.studies.model_copy(update={"where": None, "by_name": (choice,)})
    changed = mixed.model_copy(update={"studies": studies, "subgroups": None, "sensitivity": ()})
    with pytest.raises(SelectionError, match="these are no randomised trials"):
        run(changed.model_copy(update={"certainty": judged("high")}), shipped)


def test_no_evidence_has_no_certainty(shipped):
    base = find_spec("primary-homelessness", ROOT).model_copy(update={"certainty": judged("high")})
    with pytest.raises(SelectionError, match="no study gives a number"):
        run(base, shipped)


def test_the_page_of_the_documentation_gives_an_example_that_is_taken():
    page = (ROOT / "docs" / "certainty.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    text = SPEC[: SPEC.index("certainty:")] + example
    assert read(text.encode(), Spec, file="judged.yaml")[0].certainty.rating == "low"
    names = [*vocabulary.CONCERN, *vocabulary.SUSPICION, *vocabulary.RATED_UP]
    assert all(f"`{name}`" in page or f": {name}" in page for name in names)
