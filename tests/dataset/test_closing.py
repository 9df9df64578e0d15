"""A number of a closed version changes only with a word in the log of its record."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ipsevidence.analysis.comparing import compare_data
from ipsevidence.analysis.validation import validate
from ipsevidence.dataset.closing import (
    REOPENED,
    UNLOGGED,
    ClosedVersion,
    close,
    closed_record,
    closed_version,
    reopened,
    unlogged,
)
from ipsevidence.dataset.collection import load, read_entry
from ipsevidence.dataset.reader import ReadError, parse

ROOT = Path(__file__).parents[2]
RECORD = (ROOT / "studies" / "davis-2012.yaml").read_text(encoding="utf-8")
LINE = '  - {date: "2026-12-01", did: "corrected: other months, by the paper"}\n'
MONTHS = "follow_up_months: 12"  # contradicts nothing else in the record: see docs/security.md


def record_of(text):
    return closed_record(read_entry(text.encode(), "studies/davis-2012.yaml"))


def changed(old, new, text=RECORD):
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_the_committed_file_is_of_the_committed_version():
    version, dataset = closed_version(ROOT / "studies"), load(ROOT)
    assert version.version == dataset.version
    # A record may have grown since, or been corrected with a word about it; none is lost.
    assert set(version.records) <= {name for study in dataset for name in (study.id, *study.former_ids)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (MONTHS, "follow_up_months: 13"),
        (MONTHS, "follow_up_months: 12.0"),
        (f"  {MONTHS}\n", ""),
    ],
)
def test_another_number_is_another_digest(old, new):
    assert record_of(changed(old, new)).numbers != record_of(RECORD).numbers


def test_what_says_the_same_has_the_same_digest():
    short = "schema: 1\nid: x\na: {n: 3, m: 4}\n"
    forms = ("schema: 1\nid: x\na: {m: 4, n: {value: 3, from: s1}}\n", "id: x\na: {m: 4, n: 3}\nschema: 1\n")
    other = ("schema: 1\nid: x\na: {n: 4, m: 3}\n", "schema: 1\nid: x\na: {n: 3, m: 4}\nb: [1]\n")

    def digest(text):
        return closed_record(SimpleNamespace(tree=parse(text.encode(), file="x"), study=SimpleNamespace(log=(1,))))

    assert {digest(form) for form in forms} == {digest(short)}
    assert all(digest(form) != digest(short) for form in other)


@pytest.fixture
def data(tmp_path):
    """A dataset of one record, closed."""
    (tmp_path / "studies").mkdir()
    shutil.copy(ROOT / "studies" / "_dataset.yaml", tmp_path / "studies")
    (tmp_path / "studies" / "davis-2012.yaml").write_text(RECORD, encoding="utf-8")
    close(load(tmp_path))
    return tmp_path


def found(data, *, alone):
    findings = validate([data / "studies" / "davis-2012.yaml"] if alone else None, data).findings
    return [finding for finding in findings if finding.check == UNLOGGED]


@pytest.mark.parametrize("alone", [True, False])
def test_a_change_without_a_word_is_found_and_one_with_a_word_is_not(data, alone):
    path = data / "studies" / "davis-2012.yaml"
    assert found(data, alone=alone) == []
    path.write_text(changed("label: Davis 2012", "label: Davis et al 2012"), encoding="utf-8")
    assert found(data, alone=alone) == []
    text = changed(MONTHS, "follow_up_months: 13")
    path.write_text(text, encoding="utf-8")
    (finding,) = found(data, alone=alone)
    assert finding.line == len(text.splitlines()), "the last entry of the log, which is the last line"
    assert finding.what == "a number is not what version 2026.1 held, and the log has no new entry"
    path.write_text(text + LINE, encoding="utf-8")
    assert found(data, alone=alone) == []


def test_a_record_that_no_version_held_is_not_asked():
    entry = read_entry(RECORD.encode(), "studies/davis-2012.yaml")
    assert unlogged(entry, None) == ()
    assert unlogged(entry, ClosedVersion(schema=1, version="1", records={})) == ()


@pytest.mark.parametrize("alone", [True, False])
def test_a_broken_file_is_a_finding_with_its_place(data, alone):
    (data / "studies" / "_closed.yaml").write_text('schema: 1\nversion: "1"\nrecords: {a-1: {numbers: zz, log: 1}}\n')
    files = [data / "studies" / "davis-2012.yaml"] if alone else None
    (finding,) = (one for one in validate(files, data).findings if one.severity == "error")
    assert (finding.file, finding.line) == ("studies/_closed.yaml", 3)
    with pytest.raises(ReadError, match="numbers"):
        closed_version(data / "studies")


def test_what_was_kept_of_a_version_stays(data):
    kept = closed_version(data / "studies")
    other = ClosedVersion(schema=1, version=kept.version, records={})
    later = other.model_copy(update={"version": "2026.2"})
    assert reopened(None, kept, "2026.1") == reopened(kept, kept, "2026.1") == reopened(kept, later, "2026.2") == ()
    # a version that the dataset is not
    for after, version in ((other, "2026.1"), (later, "2026.1"), (later, "2026.3")):
        (finding,) = reopened(kept, after, version)
        assert finding.what == "what was kept of version 2026.1 is not what it was"
    assert [finding.what for finding in reopened(kept, None, "2026.1")] == ["what was kept of version 2026.1 is gone"]


def test_a_new_id_takes_the_number_along(data):
    text = changed("id: davis-2012", "id: davis-2013\nformer_ids: [davis-2012]").replace(MONTHS, "follow_up_months: 13")
    entry = read_entry(text.encode(), "studies/davis-2013.yaml")
    assert [finding.check for finding in unlogged(entry, closed_version(data / "studies"))] == [UNLOGGED]


def test_diff_sees_a_number_that_changed_along_with_what_it_is_held_against(data, tmp_path):
    new = tmp_path / "new"
    shutil.copytree(data, new, ignore=shutil.ignore_patterns("new"))
    (new / "studies" / "davis-2012.yaml").write_text(changed(MONTHS, "follow_up_months: 13"), encoding="utf-8")
    assert [finding.check for finding in compare_data(data, new).gained] == [UNLOGGED]
    close(load(new))
    assert [finding.check for finding in compare_data(data, new).gained] == [REOPENED]
    shutil.copy(data / "studies" / "davis-2012.yaml", new / "studies")  # now the file of the version alone differs
    assert REOPENED in [finding.check for finding in compare_data(data, new).gained]


def test_by_the_command_line(data):
    path = data / "studies" / "davis-2012.yaml"
    path.write_text(changed(MONTHS, "follow_up_months: 13"), encoding="utf-8")
    command = [sys.executable, "-m", "ipsevidence", "validate", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert UNLOGGED in done.stdout
    assert "say under `log` what it was, what it is and what lay open" in done.stdout
