"""The verbs for contributors: new, explain, check-numbers, and the formats of validate."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from ipsevidence.analysis.validation import canonical_form, validate
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import UnknownStudyError
from ipsevidence.dataset.explaining import check_ids
from ipsevidence.dataset.findings import hidden
from ipsevidence.terminal import contributing
from ipsevidence.terminal import dataset as on_dataset
from ipsevidence.terminal.contributing import Given

ROOT = Path(__file__).parents[1]
# a made-up abstract: 63 and 61 people, 46% and 25% at any time in 12 months, RR 1.87
VALUES = {
    "author": ["Ferreira"],
    "year": ["2025"],
    "title": ["Individual placement and support for people with bipolar disorder"],
    "doi": ["10.5555/invented.2025.7"],
    "read": ["abstract"],
    "at": ["abstract"],
    "country": ["ES"],
    "group": ["affective-common"],
    "tag": ["affective"],
    "illness": ["no"],
    "population": ["adults with bipolar disorder"],
    "concept": ["competitive-employment"],
    "definition": ["any competitive job within 12 months"],
    "months": ["12"],
    "window": ["cumulative"],
}
ARMS = ["treatment=ips, n=63, percent=46", "treatment=vocational-rehabilitation, n=61, percent=25"]


@pytest.fixture
def data(tmp_path):
    records = ("_dataset", "davis-2012", "howard-2010", "rodriguez-pulido-2018")  # the last two are named in the spec
    for name in (*(f"studies/{record}.yaml" for record in records), "analyses/primary.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def new(data, values=VALUES, arms=ARMS, effects=(), study_id=None, template=None, **more):
    contributing.record_started(study_id, template, Given(values=values, arms=arms, effects=effects), data, **more)


def test_an_abstract_becomes_a_record_that_validates(data, capsys):
    new(data, effects=["measure=RR, estimate=1.87, low=1.12, high=3.13"])
    printed = capsys.readouterr().out
    path = data / "studies" / "ferreira-2025.yaml"
    assert f"written: {path}" in printed
    assert "46% of 63 is given by 29 only" in printed
    assert "it validates" in printed
    assert [str(finding) for finding in validate(None, data).findings if finding.file == f"studies/{path.name}"] == []
    assert canonical_form([path], write=False) == {}


def test_what_is_missing_is_listed_with_its_line(data, capsys):
    new(data, {key: VALUES[key] for key in ("author", "year", "read", "country", "group")}, ["treatment=ips"] * 2)
    printed = capsys.readouterr().out
    assert "3 things to fill in or look at" in printed
    assert "missing-key" in printed
    assert "description" in printed


def test_a_dry_run_writes_nothing(data, capsys):
    new(data, dry_run=True)
    assert "id: ferreira-2025" in capsys.readouterr().out
    assert not (data / "studies" / "ferreira-2025.yaml").exists()


def test_json_of_a_new_record(data, capsys):
    new(data, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == "new"
    assert document["data"]["id"] == "ferreira-2025"
    assert document["data"]["findings"] == []
    assert Path(document["data"]["file"]).read_text(encoding="utf-8") == document["data"]["text"]


def test_nothing_is_overwritten(data):
    path = data / "studies" / "davis-2012.yaml"
    before = path.read_bytes()
    with pytest.raises(typer.BadParameter, match="is there already"):
        new(data, study_id="davis-2012")
    assert path.read_bytes() == before


def test_the_former_id_of_a_record_is_not_taken(data):
    path = data / "studies" / "davis-2012.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("label:", "former_ids: [davis-2011]\nlabel:", 1))
    with pytest.raises(typer.BadParameter, match="was the id of davis-2012"):
        new(data, study_id="davis-2011")


@pytest.mark.parametrize("hostile", ["../x", "/etc/x", "a/b", "A", "", ".", "x" * 61, "a\u202eb", "con:"])
def test_an_id_leads_nowhere_else(data, hostile):
    before = sorted(data.rglob("*"))
    with pytest.raises(InputError, match="an id must be small letters"):
        new(data, study_id=hostile)
    assert sorted(data.rglob("*")) == before


def test_everything_needed_is_named_in_one_error(data):
    with pytest.raises(InputError, match="--author, --year, --read, --country, --group, --arm"):
        new(data, {}, [])


def test_the_data_of_the_installation_are_not_written_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IPSEVIDENCE_DATA", raising=False)
    with pytest.raises(typer.BadParameter, match="no checkout here"):
        new(None)


def test_the_same_paper_is_pointed_out(data, capsys):
    new(data, VALUES | {"doi": ["10.1176/appi.ps.201100340"]}, dry_run=True)
    assert "stands in davis-2012 already" in capsys.readouterr().out


def test_an_analysis_is_started(data, capsys):
    values = {"title": ["Veterans, any job"], "group": ["veterans-ptsd"], "concept": ["any-paid-work"]}
    words = {"population": ["veterans"], "intervention": ["IPS"], "comparator": ["usual care"], "definition": ["a job"]}
    new(data, values | words | {"measure": ["RR"]}, [], study_id="veterans-any", analysis=True)
    assert "it validates" in capsys.readouterr().out
    path = data / "analyses" / "veterans-any.yaml"
    assert canonical_form([path], write=False) == {}
    assert validate([path]).findings == ()


def test_an_analysis_says_what_it_lacks(data, capsys):
    new(data, {"title": ["Veterans"]}, [], study_id="veterans-any", analysis=True)
    printed = capsys.readouterr().out
    assert "1 thing to fill in" in printed
    assert "`question`" in printed
    with pytest.raises(typer.BadParameter, match="an analysis needs ID, --title"):
        new(data, {}, [], analysis=True)
    with pytest.raises(typer.BadParameter, match="is there already"):
        new(data, {"title": ["x"]}, [], study_id="primary", analysis=True)


class _Person:
    """Somebody at a terminal who answers by the question, and reads what is said."""

    def __init__(self, answers):
        self.answers = [*answers]
        self.asked = []

    def __call__(self, question):
        self.asked.append(question)
        for place, (words, answer) in enumerate(self.answers):
            if words in question:
                del self.answers[place]
                return answer
        return ""


def test_a_person_is_asked_and_offered_the_numbers_that_fit(data, capsys, monkeypatch):
    person = _Person(
        [
            ("First author", "Okafor"),
            ("Year", "26"),
            ("Year", "2026"),
            ("Title", "An invented trial"),
            ("lies before you", "abstract"),
            ("Countries", "NO, SE"),
            ("Analysis group", "?"),
            ("Analysis group", "smi"),
            ("Severe mental illness", "yes"),
            ("Who took part", "adults"),
            ("First arm: treatment", "ips"),
            ("First arm: number of persons", "150"),
            ("First arm: percent", "47"),
            ("First arm: which of them", "71"),
            ("Second arm: treatment", "treatment-as-usual"),
            ("Second arm: number of persons", "140"),
            ("Second arm: percent", "25"),
            ("What is counted", "competitive-employment"),
            ("How the source", "any job"),
            ("Months from entry", "12"),
            ("When it counts", "cumulative"),
        ]
    )
    monkeypatch.setattr(contributing, "_prompt", person)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    new(data, {}, [])
    printed = capsys.readouterr().out
    assert person.answers == []
    assert "47% of 150 is given by 70, 71" in printed
    assert "25% of 140 is given by 35 only" in printed
    assert "--year must be a year" in printed
    assert "Homelessness was a condition of entry" in printed
    assert "it validates" in printed
    text = (data / "studies" / "okafor-2026.yaml").read_text(encoding="utf-8")
    assert 'events: {value: 71, as_printed: "47%"}' in text


def test_a_person_hears_of_an_existing_record_before_typing_more(data, monkeypatch):
    person = _Person([("First author", "Davis"), ("Year", "2012")])
    monkeypatch.setattr(contributing, "_prompt", person)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    with pytest.raises(typer.BadParameter, match="is there already"):
        new(data, {}, [])
    assert len(person.asked) == 2


@pytest.mark.parametrize("check_id", check_ids())
def test_every_check_is_explained_on_the_terminal(check_id, capsys):
    contributing.check_explained(check_id, as_json=False, quiet=False)
    printed = capsys.readouterr().out
    assert printed.startswith(check_id)
    for part in ("Rule: ", "Why: ", "Fix: ", "wrong:", "right:"):
        assert part in printed
    assert len(printed) < 8000
    assert not any(hidden(printed))


def test_an_unknown_check_names_the_nearest():
    with pytest.raises(typer.BadParameter, match="nearest: percent-does-not-fit"):
        contributing.check_explained("percent-doesnt-fit", as_json=False, quiet=False)
    with pytest.raises(typer.BadParameter, match="there are: "):
        contributing.check_explained("\x1b[31m" * 1000, as_json=False, quiet=False)


def test_explain_as_json(capsys):
    contributing.check_explained("tab", as_json=True, quiet=False)
    shown = json.loads(capsys.readouterr().out)["data"]
    assert shown["id"] == "tab"
    assert shown["example"]["right"].startswith("log:")


def test_the_example_of_names_is_what_validate_finds(data):
    spec = (data / "analyses" / "primary.yaml").read_text(encoding="utf-8")
    path = data / "analyses" / "mine.yaml"
    path.write_text(spec.replace("id: primary", "id: mine", 1), encoding="utf-8")
    assert [f.check for f in validate(None, data).findings if "mine" in f.file] == []
    path.write_text(spec, encoding="utf-8")
    assert [f.check for f in validate(None, data).findings if "mine" in f.file] == ["name-does-not-resolve"]


def test_explaining_loads_no_numbers():
    code = (
        "import sys, contextlib, io\nfrom ipsevidence.terminal import contributing\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    contributing.check_explained('tab', as_json=False, quiet=False)\n"
        "print(*(name for name in ('numpy', 'pandas', 'scipy', 'rich', 'matplotlib') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_numbers_of_a_record(capsys):
    contributing.numbers_checked("davis-2012", ROOT, as_json=False, quiet=False)
    printed = capsys.readouterr().out
    assert "outcomes.competitive-12m" in printed
    assert "2.73" in printed
    assert "1.64 to 4.54" in printed
    assert "0 differ" in printed


def test_numbers_as_json_and_of_a_file(capsys):
    contributing.numbers_checked(str(ROOT / "studies" / "davis-2012.yaml"), None, as_json=True, quiet=False)
    shown = json.loads(capsys.readouterr().out)["data"]
    assert shown["id"] == "davis-2012"
    assert shown["agrees"] == sum(item["verdict"] == "agrees" for item in shown["statistics"]) > 0
    assert {"at", "what", "printed", "computed", "verdict", "why", "accepted"} == set(shown["statistics"][0])


@pytest.mark.parametrize("study_id", ["davis-2021", "../studies/davis-2012", "_template"])
def test_numbers_of_no_record(study_id):
    with pytest.raises(UnknownStudyError, match="is not in the dataset"):
        contributing.numbers_checked(study_id, ROOT, as_json=False, quiet=False)


def test_text_of_a_stranger_stays_text_on_the_terminal(data, capsys):
    path = data / "studies" / "davis-2012.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("rule: percent-of-n", "rule: '[red]::error::x[/red]'", 1), encoding="utf-8")
    contributing.numbers_checked("davis-2012", data, as_json=False, quiet=False)
    assert "[red]::error::x[/red]" in " ".join(capsys.readouterr().out.split())


@pytest.fixture
def wrong(data):
    path = data / "studies" / "davis-2012.yaml"
    text = path.read_text(encoding="utf-8")
    assert "\nlabel: Davis 2012\n" in text
    path.write_text(text.replace("\nlabel: Davis 2012\n", '\nlabel: "##[add-mask]x  ::error::"\n'), encoding="utf-8")
    return validate(None, data)


def test_validate_as_annotations(wrong, capsys):
    on_dataset.findings(wrong, as_json=False, quiet=True, form="github")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::notice file=studies/davis-2012.yaml,line=")
    assert "title=untidy-text::" in line


def test_validate_as_sarif(wrong, capsys):
    on_dataset.findings(wrong, as_json=False, quiet=False, form="sarif")
    log = json.loads(capsys.readouterr().out)
    (result,) = log["runs"][0]["results"]
    assert (log["version"], result["ruleId"]) == ("2.1.0", "untidy-text")


def test_validate_as_json_and_text(wrong, capsys):
    on_dataset.findings(wrong, as_json=False, quiet=False, form="json")
    by_format = capsys.readouterr().out
    on_dataset.findings(wrong, as_json=True, quiet=False)
    assert capsys.readouterr().out == by_format
    on_dataset.findings(wrong, as_json=False, quiet=False)
    assert "0 errors, 1 advice" in capsys.readouterr().out


def test_the_canonical_form_shows_what_it_changes(data, capsys):
    path = data / "studies" / "davis-2012.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("schema: 1\n", "schema:   1\n", 1), encoding="utf-8")
    on_dataset.formatted(canonical_form([path], write=True), check=False, as_json=False, quiet=False)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"{path}: formatted"
    assert [line for line in shown if line[2:3] in ("-", "+")] == ["  -schema:   1", "  +schema: 1"]
    on_dataset.formatted({path: "\n" * 2 + "+x\n" * 100}, check=True, as_json=False, quiet=False)
    assert capsys.readouterr().out.splitlines()[-1] == "  and 40 lines more"
