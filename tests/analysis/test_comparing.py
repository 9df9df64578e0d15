"""What a change does: moves worked out by hand, decisions, verdicts, checks, and what is no change."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.analysis.analysis_changes import analysis_change, made_of, remade, same
from ipsevidence.analysis.comparing import compare_data
from ipsevidence.analysis.field_changes import field_changes
from ipsevidence.analysis.resultfiles import settled
from ipsevidence.analysis.selection import select
from ipsevidence.analysis.specfiles import find_spec
from ipsevidence.dataset.collection import DataNotFoundError, load
from ipsevidence.dataset.writer import canonical
from ipsevidence.report.diff_words import summary, tables
from tests.analysis.twins import ALPHA, TWO, swap, write_pair
from tests.toy import STUDIES, TWO_ARMS, outcome, study

Z = 1.959963984540054
REVIEW = """schema: 1
id: made-up
label: Made up
citation: made up
kind: pairwise
sources:
  s1: {cite: made up, kind: abstract, read: abstract, date: "2000-01-01"}
inputs:
  - {label: alpha, counts: [30, 50, 15, 50], from: s1, basis: reported}
  - {label: beta, counts: [24, 40, 12, 40], from: s1, basis: reported}
log:
  - {did: made up, date: "2000-01-01"}
"""


@pytest.fixture
def pair(tmp_path):
    return write_pair(tmp_path)


def by_id(found):
    return {one.id: one for one in found.analyses}


def variance(a, n, c, m):
    return 1 / a - 1 / n + 1 / c - 1 / m


def test_one_number_moves_the_pool_as_by_hand(pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    found = compare_data(old, new)
    move = by_id(found)["two"]
    # Before: both trials have a risk ratio of 2. After: alpha 36/50 v 15/50 has 2.4.
    weights = [1 / variance(36, 50, 15, 50), 1 / variance(24, 40, 12, 40)]
    log = (weights[0] * math.log(2.4) + weights[1] * math.log(2)) / sum(weights)
    half = Z / math.sqrt(sum(weights))
    assert move.before.numbers.estimate == pytest.approx(2, rel=1e-12)
    assert move.before.numbers.low == pytest.approx(2 * math.exp(-Z * math.sqrt(1 / 30)), rel=1e-12)
    assert move.after.numbers.estimate == pytest.approx(math.exp(log), rel=1e-12)
    assert (move.after.numbers.low, move.after.numbers.high) == pytest.approx(
        (math.exp(log - half), math.exp(log + half)), rel=1e-12
    )
    assert (move.before.numbers.k, move.after.numbers.k) == (2, 2)
    (row,) = move.rows
    assert (row.id, row.before.counts, row.after.counts) == ("alpha-2001", "30/50 v 15/50", "36/50 v 15/50")
    assert (row.before.estimate, row.after.estimate) == pytest.approx((2, 2.4), rel=1e-12)
    assert row.before.weight == pytest.approx(100 * (1 / 0.06) / 30, rel=1e-12)
    assert row.after.weight == pytest.approx(100 * weights[0] / sum(weights), rel=1e-12)
    # Both comparator arms have a risk of 0.3. Of so few trials the odds ratio is carried: 3.5 and 3.5, then 6 and 3.5.
    inverse = [1 / (1 / 36 + 1 / 14 + 1 / 15 + 1 / 35), 1 / (1 / 24 + 1 / 16 + 1 / 12 + 1 / 28)]
    odds = 0.3 / 0.7 * math.exp((inverse[0] * math.log(6) + inverse[1] * math.log(3.5)) / sum(inverse))
    assert (move.before.answer.without, move.after.answer.without) == pytest.approx((30, 30), rel=1e-12)
    assert move.before.answer.more == pytest.approx(30, rel=1e-12)
    assert move.after.answer.more == pytest.approx(100 * odds / (1 + odds) - 30, rel=1e-12)


def test_the_field_is_named_with_both_values(pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    found = compare_data(old, new)
    (document,) = found.documents
    (field,) = document.fields
    assert (document.what, document.id, document.kind) == ("record", "alpha-2001", "changed")
    assert field.path == "outcomes[job].readings[ips count randomised].events"
    assert (field.before, field.after, field.number) == ("30", "36", True)


def test_verdicts_claims_and_parts_follow(pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    found = compare_data(old, new)
    move = by_id(found)["two"]
    (verdict,) = move.verdicts
    assert (verdict.before, verdict.after) == ("reproduced (2.00)", "differs (2.22)")
    # The interval begins at 2 exp(-1.96 / sqrt(30)) = 1.398 before, at 2.2231 exp(-1.96 / sqrt(31.70)) = 1.570 now.
    (claim,) = found.claims
    assert (claim.id, claim.before, claim.after) == ("above-one", "imprecise", "supported")
    (part,) = move.parts
    assert (part.kind, part.label) == ("sensitivity analysis", "alpha alone")
    assert (part.before.estimate, part.after.estimate) == pytest.approx((2, 2.4), rel=1e-12)


def test_only_what_is_touched_is_shown(pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    found = compare_data(old, new)
    assert set(by_id(found)) == {"two", "rule"}
    assert (found.still, found.untouched) == ((), 1)


def test_a_new_trial_enters_with_its_reason(pair):
    old, new = pair
    arms = [("ips", 20, 40, "reported"), ("tau", 10, 40, "reported")]
    (new / "studies" / "lambda-2011.yaml").write_text(
        study("lambda-2011", TWO_ARMS, [outcome("job", arms)]), encoding="utf-8"
    )
    found = compare_data(old, new)
    assert set(by_id(found)) == {"rule"}
    move = by_id(found)["rule"]
    before, after = move.before, move.after
    assert (after.reach.k, after.reach.eligible) == (before.reach.k + 1, before.reach.eligible + 1)
    assert after.reach.participants == before.reach.participants + 100
    assert after.reach.known == before.reach.known + 100
    (decision,) = move.decisions
    assert (decision.id, decision.before) == ("lambda-2011", "")
    assert decision.after.startswith("in: ")
    (row,) = move.rows
    assert (row.before, row.after.counts, row.after.estimate) == (None, "20/40 v 10/40", pytest.approx(2))
    (document,) = found.documents
    assert (document.kind, document.standing.pools) == ("added", ("rule",))
    assert ("not in the list of the spec", 1) in document.standing.elsewhere
    assert found.after.records == found.before.records + 1


def test_a_trial_that_goes_is_the_reverse(pair):
    old, new = pair
    (new / "studies" / "kappa-2010.yaml").unlink()
    found = compare_data(old, new)
    (document,) = found.documents
    assert (document.kind, document.standing.pools) == ("removed", ("rule",))
    (decision,) = by_id(found)["rule"].decisions
    assert decision.after == ""
    back = compare_data(new, old)
    assert same(by_id(back)["rule"].before, by_id(found)["rule"].after)


def test_a_status_puts_a_trial_in(pair):
    old, new = pair
    swap(new, "studies/theta-2008.yaml", "status: awaiting", "status: included")
    (decision,) = by_id(compare_data(old, new))["rule"].decisions
    assert decision.before == "out: status is awaiting"
    assert decision.after.startswith("in: ")


def test_a_number_outside_every_pool_touches_and_moves_nothing(pair):
    old, new = pair
    # eta counts at a point in time, which the rule does not take: it is eligible and without a number before and after.
    swap(new, "studies/eta-2007.yaml", "events: 30", "events: 31")
    found = compare_data(old, new)
    assert (found.analyses, found.still, found.untouched) == ((), ("rule",), 2)
    assert not found.nothing


def test_an_absent_trial_moves_the_coverage_alone(pair):
    old, new = pair
    swap(new, "studies/eta-2007.yaml", "value: 100,", "value: 130,")
    (move,) = compare_data(old, new).analyses
    assert (move.id, move.moved, move.another_result) == ("rule", True, False)
    assert move.after.reach.known == move.before.reach.known + 30
    assert move.after.reach.eligible == move.before.reach.eligible
    assert same(move.after.numbers, move.before.numbers)
    # It was not run again; a run on the new data says the same, dropped trials and decisions included.
    fresh = made_of(find_spec("rule", new), load(new), {})
    carried = remade(made_of(find_spec("rule", old), load(old), {}), select(fresh.spec, load(new)), load(new))
    assert carried.run.decisions == fresh.run.decisions
    assert "effect" in {decision.stage for decision in fresh.run.decisions}
    assert not analysis_change(carried, fresh).moved


def test_words_move_nothing_and_are_shown(pair):
    old, new = pair
    swap(new, ALPHA, "log:", "notes: looked up again\nlog:")
    found = compare_data(old, new)
    assert [field.path for field in found.documents[0].fields] == ["notes"]
    assert (found.analyses, found.still, found.untouched) == ((), (), 3)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (ALPHA, "schema: 1", "# a remark\nschema: 1"),
        (ALPHA, "id: alpha-2001\nlabel: ALPHA-2001", "label: ALPHA-2001\nid: alpha-2001"),
        (ALPHA, "{arm: ips, kind: count, of: randomised", "{of: randomised, kind: count, arm: ips"),
        (ALPHA, "label: ALPHA-2001", 'label: "ALPHA-2001"'),
        ("analyses/two.yaml", "effect: {measure: RR}", "effect: {add: 0.5, measure: RR}"),
        (
            "analyses/claims/above-one.yaml",
            "{kind: ratio-above, threshold: 1.4,",
            "{threshold: 1.4, kind: ratio-above,",
        ),
    ],
)
def test_form_is_no_change(pair, name, before, after):
    old, new = pair
    swap(new, name, before, after)
    found = compare_data(old, new)
    assert found.nothing
    assert found.rewritten == (name,)
    assert found.untouched == 3


def test_the_canonical_form_is_no_change(pair):
    old, new = pair
    for name, entry in load(old).entries.items():
        (new / "studies" / f"{name}.yaml").write_text(canonical(entry.tree, type(entry.study)), encoding="utf-8")
    found = compare_data(old, new)
    assert found.nothing
    assert ALPHA in found.rewritten


def test_the_same_files_are_nothing(pair):
    found = compare_data(*pair)
    assert found.nothing
    assert (found.rewritten, found.untouched) == ((), 3)


def test_the_order_of_outcomes_is_said_as_such(pair):
    old, new = pair
    name = "studies/beta-2002.yaml"
    text = (old / name).read_text(encoding="utf-8")
    start, end, last = (text.index(f"  - id: {job}") for job in ("job-12", "job-24", "job-6"))
    (new / name).write_text(text[:start] + text[end:last] + text[start:end] + text[last:], encoding="utf-8")
    (field,) = compare_data(old, new).documents[0].fields
    assert (field.path, field.before, field.after) == (
        "outcomes (order)",
        "job-12, job-24, job-6, study",
        "job-24, job-12, job-6, study",
    )


def test_a_setting_is_a_change_of_its_analysis(pair):
    old, new = pair
    swap(new, "analyses/two.yaml", "measure: RR", "measure: OR")
    (move,) = compare_data(old, new).analyses
    assert [(one.path, one.before, one.after) for one in move.settings] == [("effect.measure", "RR", "OR")]
    # alpha (30 x 35) / (20 x 15) = 3.5, beta (24 x 28) / (16 x 12) = 3.5
    assert move.after.numbers.estimate == pytest.approx(3.5, rel=1e-12)


def test_new_and_removed_analyses(pair):
    old, new = pair
    (new / "analyses" / "two.yaml").rename(new / "analyses" / "twins.yaml")
    swap(new, "analyses/twins.yaml", "id: two", "id: twins")
    found = compare_data(old, new)
    moves = by_id(found)
    assert (moves["two"].kind, moves["twins"].kind) == ("removed", "added")
    assert moves["two"].after is None
    assert moves["twins"].before is None
    assert moves["twins"].after.numbers.estimate == pytest.approx(2)
    (claim,) = found.claims
    assert (claim.before, claim.after) == ("imprecise", "cannot-be-judged")
    assert "no analysis 'two'" in claim.reason_after


def test_a_broken_record_is_shown_and_the_rest_compared(pair):
    old, new = pair
    swap(new, "studies/gamma-2003.yaml", "design: {type: pilot-rct", "design: {type: guess")
    swap(new, ALPHA, "events: 30", "events: 36")
    found = compare_data(old, new)
    assert [finding.file for finding in found.unread_after] == ["studies/gamma-2003.yaml"]
    assert {one.id: one.kind for one in found.documents} == {"alpha-2001": "changed", "gamma-2003": "broken"}
    moves = by_id(found)
    assert moves["two"].after.numbers.estimate > 2
    assert {one.id for one in moves["rule"].decisions} == {"gamma-2003"}
    back = compare_data(new, old)
    assert {one.id: one.kind for one in back.documents} == {"alpha-2001": "changed", "gamma-2003": "mended"}
    assert not found.nothing


def test_an_analysis_that_cannot_run_says_why(pair):
    old, new = pair
    swap(new, ALPHA, "design: {type: rct", "design: {type: guess")
    move = by_id(compare_data(old, new))["two"]
    assert move.after.numbers is None
    assert "alpha-2001" in move.after.error
    assert move.before.numbers.k == 2


def test_an_analysis_that_runs_on_neither_side_says_why(pair):
    old, new = pair
    for root in pair:
        swap(root, "analyses/two.yaml", "id: beta-2002", "id: nobody-2000")
        swap(root, "analyses/justice.yaml", "measure: RR", "measure: nonsense")
    swap(new, ALPHA, "events: 30", "events: 36")
    found = compare_data(old, new)
    failing = {one.id: one for one in found.failing}
    assert set(failing) == {"two", "justice"}
    assert "nobody-2000" in failing["two"].before
    assert failing["two"].after == failing["two"].before
    assert failing["two"].title == "Two trials"
    assert failing["justice"].after == "its file cannot be read; see the checks"
    assert ([one.id for one in found.analyses], found.still, found.untouched) == (["rule"], (), 0)
    (line,) = (line for line in summary(found) if "neither" in line)
    assert "2 cannot be run, neither before nor after (justice, two); 0 untouched." in line
    (table,) = (table for table in tables(found) if table.title == "Analyses that cannot be run")
    assert [row[0] for row in table.rows] == ["justice: justice", "two: Two trials"]
    assert {row[2] for row in table.rows} == {"the same"}


def test_another_reason_on_the_other_side_is_said(pair):
    old, new = pair
    swap(old, "analyses/two.yaml", "id: beta-2002", "id: nobody-2000")
    swap(new, "analyses/two.yaml", "id: beta-2002", "id: someone-2000")
    (one,) = compare_data(old, new).failing
    assert "nobody-2000" in one.before
    assert "someone-2000" in one.after


def test_an_analysis_of_a_review_that_is_missing_on_both_sides(pair):
    old, new = pair
    for root in pair:
        swap(
            root,
            "analyses/two.yaml",
            "  list:\n    - {id: alpha-2001}\n    - {id: beta-2002}\n",
            "  inputs_of: nobody\n",
        )
        swap(root, "analyses/two.yaml", "sensitivity:\n  - {id: alone, label: alpha alone, drop: [beta-2002]}\n", "")
    swap(new, ALPHA, "events: 30", "events: 36")
    (one,) = compare_data(old, new).failing
    assert (one.id, one.before) == ("two", "the review nobody cannot be read; see the checks")


def test_an_analysis_that_cannot_be_run_any_more_stands_first(pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    swap(new, "analyses/two.yaml", "id: beta-2002", "id: nobody-2000")
    swap(new, "analyses/justice.yaml", "measure: RR", "measure: OR")
    found = compare_data(old, new)
    assert found.analyses[0].id == "two"  # `rule` and `justice` come before it by purpose and by name
    assert [one.broken for one in found.analyses] == [True, *[False] * (len(found.analyses) - 1)]
    assert any(line.startswith("1 cannot be run any more (two); ") for line in summary(found))
    shown = [table for table in tables(found) if table.title in ("Analyses that cannot be run", "Analyses")]
    assert [table.title for table in shown] == ["Analyses that cannot be run", "Analyses"]
    assert [table.rows[0][0] for table in shown] == ["two: Two trials"] * 2
    assert shown[0].rows[0][1] == "could be run"
    back = compare_data(new, old)
    assert not any(one.broken for one in back.analyses)
    assert found.to_dict()["analyses"][0]["broken"] is True


def test_a_broken_spec_and_claim(pair):
    old, new = pair
    swap(new, "analyses/two.yaml", "measure: RR", "measure: nonsense")
    swap(new, "analyses/claims/above-one.yaml", "minimum_k: 2", "minimum_k: few")
    found = compare_data(old, new)
    assert by_id(found)["two"].after.error == "its file cannot be read; see the checks"
    assert [(one.what, one.kind) for one in found.documents] == [("claim", "broken")]
    assert {finding.file for finding in found.gained} == {"analyses/two.yaml", "analyses/claims/above-one.yaml"}


def test_checks_gained_and_lost(pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 60")
    found = compare_data(old, new)
    assert {finding.file for finding in found.gained} == {ALPHA}
    assert "60" in found.gained[0].what
    back = compare_data(new, old)
    assert [one.check for one in back.lost] == [one.check for one in found.gained]
    assert back.gained == ()


def test_findings_that_only_move_in_the_file_are_the_same(pair):
    old, new = pair
    swap(old, ALPHA, "events: 30", "events: 60")
    swap(new, ALPHA, "events: 30", "events: 60")
    swap(new, ALPHA, "schema: 1", "# a line\n# and another\nschema: 1")
    assert compare_data(old, new).nothing


def test_records_alone(tmp_path):
    old, new = write_pair(tmp_path, analyses=False)
    swap(new, ALPHA, "events: 30", "events: 36")
    for one, other in ((old, new), (old / "studies", new / "studies"), (old / ALPHA, new / ALPHA)):
        found = compare_data(one, other)
        assert [document.id for document in found.documents] == ["alpha-2001"]
        assert found.documents[0].standing is None
        assert (found.analyses, found.untouched, found.claims) == ((), 0, ())


def test_records_without_a_description_of_the_dataset(tmp_path):
    old, new = write_pair(tmp_path)
    (new / "studies" / "_dataset.yaml").unlink()
    swap(new, ALPHA, "events: 30", "events: 36")
    found = compare_data(old, new)
    assert (found.before.version, found.after.version) == ("2000.1", "")
    assert set(by_id(found)) == {"two", "rule"}


def test_a_place_that_holds_nothing(tmp_path):
    with pytest.raises(DataNotFoundError, match="no folder with studies/"):
        compare_data(tmp_path, tmp_path)


def test_the_inputs_of_a_review_are_settings(pair):
    for root in pair:
        (root / "analyses" / "published").mkdir()
        (root / "analyses" / "published" / "made-up.yaml").write_text(REVIEW, encoding="utf-8")
        text = TWO.replace("id: two", "id: entered")
        head, _, tail = text.partition("studies:\n")
        tail = tail[tail.index("effect:") : tail.index("sensitivity:")]
        (root / "analyses" / "entered.yaml").write_text(
            f"{head}studies: {{inputs_of: made-up}}\n{tail}", encoding="utf-8"
        )
    old, new = pair
    swap(new, "analyses/published/made-up.yaml", "[30, 50, 15, 50]", "[36, 50, 15, 50]")
    found = compare_data(old, new)
    assert [(one.what, one.id, one.kind) for one in found.documents] == [("review", "made-up", "changed")]
    (move,) = found.analyses
    assert [(one.path, one.before, one.after) for one in move.settings] == [("inputs[1].counts[1]", "30", "36")]
    # The first trial alone moves: a risk ratio of 2.4 instead of 2, as in the records.
    (row,) = move.rows
    assert (row.before.estimate, row.after.estimate) == pytest.approx((2, 2.4), rel=1e-12)


def test_everything_can_be_written_down(pair):
    old, new = pair
    swap(new, ALPHA, "events: 30", "events: 36")
    document = compare_data(old, new).to_dict()
    assert document["nothing"] is False
    assert {one["id"]: one["moved"] for one in document["analyses"]} == {"two": True, "rule": True}
    assert json.dumps(settled(document), allow_nan=False) == json.dumps(settled(compare_data(old, new).to_dict()))


leaves = st.one_of(st.integers(-5, 5), st.text("ab", max_size=2), st.booleans())
plain_data = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)


@given(plain_data)
def test_the_same_data_have_no_changes(data):
    assert field_changes(data, data) == ()


@given(plain_data, plain_data)
def test_changes_go_both_ways(one, other):
    there, back = field_changes(one, other), field_changes(other, one)
    assert bool(there) == bool(back)
    assert len(there) == len(back)


@given(st.dictionaries(st.sampled_from("abcd"), leaves, min_size=1))
def test_the_order_of_keys_is_no_change(data):
    assert field_changes(data, dict(reversed(data.items()))) == ()


def test_lists_without_names_are_aligned():
    found = field_changes({"log": [{"did": "a"}, {"did": "b"}]}, {"log": [{"did": "new"}, {"did": "a"}, {"did": "b"}]})
    assert [(one.path, one.before, one.after) for one in found] == [("log[1]", "", '{"did": "new"}')]


def test_a_number_and_its_long_form_are_the_same():
    assert field_changes({"n": 50}, {"n": {"value": 50}}) == ()
    (found,) = field_changes({"n": 50}, {"n": {"value": 50, "rule": "a sum"}})
    assert (found.path, found.number) == ("n.rule", False)


def test_nan_equals_nan():
    assert same(math.nan, math.nan)
    assert not same(math.nan, 1.0)
    assert same(1.0, 1.0 + 1e-12)
    assert not same(1.0, 1.0 + 1e-8)


def test_every_toy_trial_is_compared(pair):
    old, _ = pair
    assert compare_data(*pair).before.records == len(STUDIES) == len(load(old))
