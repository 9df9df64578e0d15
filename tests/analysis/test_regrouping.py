"""The same analysis by other groups, or of a part of its studies."""

import pytest

from ipsevidence.analysis.regrouping import narrowed, regrouped
from ipsevidence.analysis.running import run
from ipsevidence.analysis.selection import SelectionError
from ipsevidence.analysis.spec import GROUPINGS


@pytest.mark.parametrize("by", list(GROUPINGS))
def test_every_grouping_keeps_the_pool_and_puts_each_study_into_one_group(toy, spec_of, by):
    before = run(spec_of(purpose="exploratory"), toy)
    after = run(regrouped(spec_of(purpose="exploratory"), by, toy), toy)
    assert [row.id for row in after.rows] == [row.id for row in before.rows]
    assert after.fit.estimate == before.fit.estimate
    members = [index for group in after.groups for index in group.members]
    assert sorted(members) == list(range(len(after.rows)))
    assert all(group.label[:1].isupper() for group in after.groups)


def test_a_part_of_the_studies(toy, spec_of):
    justice = narrowed(spec_of(purpose="exploratory"), {"group": "justice"})
    assert [row.id for row in run(justice, toy).rows] == ["beta-2002"]
    both = narrowed(spec_of(purpose="exploratory"), {"group": "justice, smi", "design": "rct"})
    assert "gamma-2003" not in [row.id for row in run(both, toy).rows]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda spec, data: regrouped(spec, "colour", data), "--by must be one of analysis-group"),
        (lambda spec, _: narrowed(spec, {"colour": "red"}), "--where wants group, tag, design, smi"),
        (lambda spec, _: narrowed(spec, {"group": "red"}), "no such value"),
    ],
)
def test_what_is_asked_for_must_be_there(toy, spec_of, change, message):
    with pytest.raises(SelectionError, match=message):
        change(spec_of(), toy)


def test_a_list_has_its_own_groups_and_studies(toy, spec_of):
    listed = spec_of(studies={"list": ({"id": "alpha-2001"},)})
    with pytest.raises(SelectionError, match="--by is for analyses with a filter"):
        regrouped(listed, "region", toy)
    with pytest.raises(SelectionError, match="--where is for analyses with a filter"):
        narrowed(listed, {"group": "smi"})


def test_nobody_selected_leaves_no_groups(toy, spec_of):
    nobody = spec_of(studies={"where": {"tags": ("nobody",)}})
    assert regrouped(nobody, "region", toy).subgroups is None
