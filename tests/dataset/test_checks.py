"""Every check finds what it should, where it is, and nothing else."""

import importlib
import pkgutil
import random
import re
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml

import ipsevidence.dataset
from ipsevidence.dataset import reader
from ipsevidence.dataset.checklist import Check, address, case_of, lies_at, listed
from ipsevidence.dataset.checks import CHECKS, check_dataset, check_entry
from ipsevidence.dataset.collection import Dataset, Entry, load, read_entry

FIXTURES = Path(__file__).parent / "checks"
FIRST, SECOND = ((FIXTURES / name).read_text(encoding="utf-8") for name in ("_base.yaml", "_second.yaml"))


def fixtures() -> dict[str, dict[str, list[dict]]]:
    files = sorted(file for file in FIXTURES.glob("*.yaml") if not file.name.startswith("_"))
    return {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}


FIXTURE = fixtures()


def cases(outcome: str) -> list[pytest.ParameterSet]:
    return [
        pytest.param(check_id, case, id=f"{check_id}: {case['name']}")
        for check_id, fixture in FIXTURE.items()
        for case in fixture[outcome]
    ]


def patched(text: str, patches: list[list[str]]) -> str:
    for old, new in patches:
        assert text.count(old) == 1, f"{old!r} must stand once in the record"
        text = text.replace(old, new)
    return text


def entry_of(text: str, stem: str = "example-2020") -> Entry:
    return read_entry(text.encode(), f"studies/{stem}.yaml")


def dataset_of(*entries: Entry) -> Dataset:
    by_id = {Path(entry.file).stem: entry for entry in entries}
    return Dataset(entries=MappingProxyType(by_id), version="2026.1", title="Test", root=Path(), origin="path")


def records(case: dict) -> dict[str, str]:
    others = {stem: patched(SECOND, patches) for stem, patches in case.get("others", {}).items()}
    return {"example-2020": patched(FIRST, case["patches"]), **others}


def found(texts: dict[str, str]) -> list:
    return list(check_dataset(dataset_of(*(entry_of(text, stem) for stem, text in texts.items()))))


def test_every_check_has_a_passing_and_a_failing_fixture():
    assert set(FIXTURE) == set(CHECKS)
    assert all(fixture["pass"] and fixture["fail"] for fixture in FIXTURE.values())


def test_the_records_that_fixtures_change_are_clean():
    assert found({"example-2020": FIRST, "second-2021": SECOND}) == []


@pytest.mark.parametrize(("check_id", "case"), cases("pass"))
def test_what_is_right_passes(check_id, case):
    del check_id
    assert [str(finding) for finding in found(records(case))] == []


@pytest.mark.parametrize(("check_id", "case"), cases("fail"))
def test_what_is_wrong_is_found_where_it_is(check_id, case):
    texts = records(case)
    findings = found(texts)
    also = case.get("also", [])
    mine = [finding for finding in findings if finding.check == check_id]
    assert sorted(finding.check for finding in findings) == sorted([check_id] * len(mine) + also)
    stem = case.get("in", "example-2020")
    text = texts[stem]
    assert text.count(case["at"]) == 1
    before = text[: text.index(case["at"])]
    expected = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert len(mine) == case.get("times", 1)
    finding = mine[0]
    assert (finding.file, finding.line, finding.column) == (f"studies/{stem}.yaml", *expected)
    assert finding.severity == case.get("severity", "error") == CHECKS[check_id].severity
    assert case["what"] in finding.what
    assert case.get("fix", "") in finding.fix


@pytest.mark.parametrize("check_id", list(CHECKS))
def test_a_check_explains_itself(check_id):
    check = CHECKS[check_id]
    assert check.id == check_id
    assert check.rule.endswith(".")
    assert check.why.endswith(".")
    assert check.fix
    assert not check.fix.endswith(".")


def test_every_check_that_is_written_is_registered():
    modules = [
        importlib.import_module(f"ipsevidence.dataset.{module.name}")
        for module in pkgutil.iter_modules(ipsevidence.dataset.__path__)
        if module.name.startswith("checks")
    ]
    written = {value.id for module in modules for value in vars(module).values() if isinstance(value, Check)}
    assert written == set(CHECKS)


def test_ids_are_not_those_of_the_reader():
    assert not set(CHECKS) & set(reader.CHECKS)


def test_one_record_is_checked_without_the_others():
    accept = 'accept: [{check: paper-in-two-records, by: us, date: "2026-11-21", because: one registration}]\nlog:'
    entry = entry_of(patched(FIRST, [["log:", accept], ["events: 20,", "events: 141,"]]))
    assert [finding.check for finding in check_entry(entry)] == ["counts-exceed-n"]
    both = check_dataset(dataset_of(entry, entry_of(SECOND, "second-2021")))
    assert [finding.check for finding in both] == ["counts-exceed-n", "accept-without-finding"]


def test_findings_are_in_the_order_of_the_file():
    text = patched(FIRST, [["events: 20,", "events: 141,"], ["id: example-2020", "id: example-2021"]])
    findings = check_entry(entry_of(text))
    assert [finding.check for finding in findings] == ["id-is-file-name", "counts-exceed-n"]


def test_a_check_that_finds_very_much_is_cut():
    facts = "".join(f'  - {{what: "{number} ", as_printed: yes and no, from: s1}}\n' for number in range(102))
    findings = check_entry(entry_of(patched(FIRST, [["facts:\n", f"facts:\n{facts}"]])))
    assert len(findings) == 101
    assert findings[0].what == "this check finds more than 100 places; only the first are shown"
    assert {finding.check for finding in findings} == {"untidy-text"}


def test_text_from_a_file_cannot_break_a_line_of_a_finding():
    entry = entry_of(patched(FIRST, [["label: Example 2020", 'notes: "two\\nlines  here"\nlabel: Example 2020']]))
    (finding,) = check_entry(entry)
    assert "two\\nlines  here" in finding.what
    assert len(str(finding).splitlines()) == 3


def test_a_case_holds_the_numbers_of_its_study():
    study = entry_of(FIRST).study
    assert list(case_of(study, "x").numbers) == list(study.numbers())


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("outcomes", 1, "published", 0, "estimate"), "outcomes.job-12m.published.RR.estimate"),
        (("outcomes", 1, "readings", 1, "events"), "outcomes.job-12m.readings.usual.events"),
        (("outcomes", 4, "readings", 2), "outcomes.steady-12m.readings.mean"),
        (("outcomes", 4, "readings", 0), "outcomes.steady-12m.readings.1"),
        (("outcomes", 2, "alternatives", 0, "counts", 1), "outcomes.paid-12m.alternatives.rounding.counts.2"),
        (("sources", "s1", "read"), "sources.s1.read"),
        (("participants", 1), "participants.analysed"),
        (("disagreements", 0, "values", 1, "from"), "disagreements.1.values.2.from"),
        (("wanted", 0, "what"), "wanted.1.what"),
        (("nonsense", "key"), "nonsense.key"),
    ],
)
def test_a_place_is_written_as_accept_names_it(path, written):
    study = entry_of(FIRST).study
    assert address(study, path) == written
    assert lies_at(study, path, written)
    assert lies_at(study, path, None)
    assert lies_at(study, path, written.rpartition(".")[0])
    assert not lies_at(study, path, f"{written}.deeper")
    assert not lies_at(study, path, "log")


def test_a_list_is_cut():
    assert listed(range(14)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
    assert listed([]) == "none"


def test_the_shipped_records_are_clean():
    assert [str(finding) for finding in check_dataset(load(Path(__file__).parents[2]))] == []


def test_recomputing_effects_loads_numpy_and_no_scipy():
    code = (
        "import sys; from pathlib import Path; from ipsevidence.dataset.checks import check_entry;"
        "from ipsevidence.dataset.collection import read_entry;"
        f"check_entry(read_entry(Path({str(FIXTURES / '_base.yaml')!r}).read_bytes(), 'example-2020.yaml'));"
        "print(*sorted({'numpy', 'scipy'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "numpy"


NUMBER = re.compile(r"(?<=[ \[])-?\d+(?:\.\d+)?(?=[,\]}\n])")
MUTANTS = ("0", "1", "2", "-1", "0.5", "-0.01", "100", "150", "151", "99999", "999999999999")


@pytest.mark.parametrize("seed", range(150))
def test_no_number_makes_a_check_fail(seed):
    chosen = random.Random(seed)
    places = list(NUMBER.finditer(FIRST))
    text = FIRST
    for place in sorted(chosen.sample(places, 3), key=lambda match: -match.start()):
        text = text[: place.start()] + chosen.choice(MUTANTS) + text[place.end() :]
    try:
        entry = entry_of(text)
    except reader.ReadError:
        return
    assert all(finding.check in CHECKS for finding in check_entry(entry))
