"""Every check has an example: the wrong one makes it fire and no other, the right one is clean."""

from pathlib import Path
from types import MappingProxyType

import pytest

from ipsevidence.dataset import reader
from ipsevidence.dataset.check_examples import EXAMPLES, assembled
from ipsevidence.dataset.checks import CHECKS, check_dataset
from ipsevidence.dataset.collection import Dataset, read_entry
from ipsevidence.dataset.explaining import check_ids, explained, similar_checks
from ipsevidence.dataset.reader import ReadError

# what is cut off after 200 findings are findings of another check
ALSO = {"too-many-findings": {"ambiguous-scalar"}}


def found(files):
    try:
        entries = {stem: read_entry(content, f"studies/{stem}.yaml") for stem, content in files.items()}
    except ReadError as error:
        return error.findings
    return check_dataset(
        Dataset(entries=MappingProxyType(entries), version="1", title="Test", root=Path(), origin="path")
    )


def test_every_check_has_an_example():
    assert set(EXAMPLES) == set(CHECKS) | set(reader.CHECKS)


@pytest.mark.parametrize("check_id", list(EXAMPLES))
def test_the_wrong_example_is_found_by_its_check_alone(check_id):
    checks = {finding.check for finding in found(assembled(EXAMPLES[check_id], "wrong"))}
    assert checks == {check_id} | ALSO.get(check_id, set())


@pytest.mark.parametrize("check_id", list(EXAMPLES))
def test_the_right_example_is_clean(check_id):
    assert [str(finding) for finding in found(assembled(EXAMPLES[check_id], "right"))] == []


@pytest.mark.parametrize("check_id", check_ids())
def test_every_check_is_explained(check_id):
    meaning = explained(check_id)
    assert meaning.id == check_id
    assert all(text.endswith(".") for text in (meaning.rule, meaning.why, meaning.fix))
    known = CHECKS.get(check_id)
    assert meaning.severity == (known.severity if known else "error")
    assert meaning.acceptable == (known is not None and known.acceptable)


def test_checks_that_may_have_been_meant():
    assert similar_checks("percent-does-not-fits")[0] == "percent-does-not-fit"
    assert similar_checks("Percent does not fit")[0] == "percent-does-not-fit"
    assert "duplicate-key" in similar_checks("duplicate")
    assert similar_checks("zzzz") == ()
    assert len(similar_checks("a-" * 5000)) <= 5
    with pytest.raises(KeyError):
        explained("percent")
