"""The walk-through of CONTRIBUTING.md, command by command: it ends clean, and prints what the page says.

It enters a published abstract that is in no record of the dataset; `data/walk_through_source.yaml` says what it prints.

IPSEVIDENCE_WRITE_TRANSCRIPT=1 writes what was printed into the page.
"""

import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ipsevidence import load, run

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
SOURCE = yaml.safe_load((ROOT / "tests" / "data" / "walk_through_source.yaml").read_text(encoding="utf-8"))
# A few trials, named, so that a new one in the dataset does not change the page.
RECORDS = (
    "_dataset",
    "bejerholm-2015",
    "bond-2007",
    "burns-2007",
    "davis-2012",
    "drake-1999",
    "howard-2010",
    "rodriguez-pulido-2018",
    "wong-2008",
)
ANALYSES = ("primary", "primary-veterans-ptsd")
KEPT = {"studies": RECORDS, "analyses": ANALYSES}
SECTION = re.compile(r"<!-- walk-through: begin -->\n\n```console\n(.*?)```\n\n<!-- walk-through: end -->", re.DOTALL)


def steps(text):
    """Return the commands with what each prints: one goes on after a backslash, or up to the END of its input."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif found and goes_on(found[-1][0]) and not found[-1][1]:
            found[-1][0] += f"\n{line}"
        else:
            found[-1][1] += f"{line}\n"
    return found


def goes_on(command):
    return command.endswith("\\") or ("<<'END'\n" in f"{command}\n" and not command.endswith("\nEND"))


@pytest.fixture
def checkout(tmp_path):
    """A small copy of the dataset as a git checkout, in which the trial was never entered."""
    return copied(
        (*(f"studies/{name}.yaml" for name in RECORDS), *(f"analyses/{name}.yaml" for name in ANALYSES)), tmp_path
    )


def copied(names, folder):
    root = folder / "checkout"
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "base"]):
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false", *arguments]
        subprocess.run(git, cwd=root, check=True)
    return root


def printed(command, root):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    environment.pop("IPSEVIDENCE_DATA", None)
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in run.stdout.replace(str(root), "~/checkout").splitlines()]
    # the day and the commit are those of the run
    text = re.sub(r"\b\d{4}-\d{2}-\d{2}\b", "2026-11-21", "\n".join([*lines, ""]))
    text = re.sub(
        r"\b[0-9a-f]{7,40}\b(?=\W)", lambda match: "0" * 7 if re.search("[a-f]", match[0]) else match[0], text
    )
    return run.returncode, text if lines else ""


def test_the_page_shows_what_happens(checkout):
    page = PAGE.read_text(encoding="utf-8")
    section = SECTION.search(page)
    written = steps(section[1])
    assert 0 < len(written) < 10
    seen = []
    for command, _ in written:
        code, text = printed(command, checkout)
        # The first look finds what the abstract got wrong; everything else goes well.
        wrong = command == "ipsevidence validate" and len(seen) == 1
        assert code == (1 if wrong else 0), (command, text)
        seen.append([command, text])
    assert_says_what_the_abstract_says(checkout)
    if os.environ.get("IPSEVIDENCE_WRITE_TRANSCRIPT"):
        transcript = "".join(f"$ {command}\n{text}" for command, text in seen)
        PAGE.write_text(page[: section.start(1)] + transcript + page[section.end(1) :], encoding="utf-8")
        return
    assert seen == written
    assert [text for command, text in seen if command == "ipsevidence validate"][-1] == "11 files: 0 errors, 0 advice\n"
    assert [command for command, _ in seen][-1] == "ipsevidence diff"


def assert_says_what_the_abstract_says(checkout):
    (study,) = (study for study in load(checkout) if study.id == "davis-2014")
    (outcome,) = study.outcomes
    said = {
        reading.arm: {"events": reading.events.value, "of": reading.n.value, "percent": reading.events.as_printed}
        for reading in outcome.readings
    }
    assert said == SOURCE["arms"]
    effects = {effect.measure: str(effect.estimate) for effect in outcome.published}
    assert effects | {"p": outcome.published[0].p} == SOURCE["printed"]
    assert study.design.registration == SOURCE["registration"]
    assert study.reports[0].url == SOURCE["url"]
    assert {source.read for source in study.sources.values()} == {"abstract"}


def test_the_trial_is_in_no_record():
    """Whoever adds it takes another abstract for the walk-through."""
    dataset = load(ROOT)
    text = {name: entry.file for name, entry in dataset.entries.items()}
    text = {name: (ROOT / file).read_text(encoding="utf-8") for name, file in text.items()}
    assert not [study for study in dataset if study.design.registration == SOURCE["registration"]]
    assert not [name for name, words in text.items() if "W81XWH-08-2-0103" in words or SOURCE["url"] in words]
    for name, other in SOURCE["not_the_trial_of"].items():
        assert other["registration"] in text[name]
        assert other["registration"] != SOURCE["registration"]


def test_what_the_trial_would_change_is_said_beside_every_living_result(tmp_path):
    (waiting,) = (one for one in load(ROOT).not_entered if one.registration == SOURCE["registration"])
    records = [f"studies/{path.name}" for path in (ROOT / "studies").glob("*.yaml")]
    root = copied([*records, "analyses/primary.yaml"], tmp_path)
    for command, _ in steps(SECTION.search(PAGE.read_text(encoding="utf-8"))[1]):
        if not command.endswith(("validate", "diff")):
            assert printed(command, root)[0] == 0, command
    fit = run("primary", load(root)).fit
    estimate, low, high = (f"{math.exp(value):.2f}" for value in (fit.estimate, fit.ci.low, fit.ci.high))
    assert f"has {fit.k} trials, and its risk ratio is {estimate} ({low} to {high})" in waiting.effect
    assert f"would make it {estimate} ({low} to {high})" in (ROOT / "README.md").read_text(encoding="utf-8")
