"""kill -9 at any moment, and two runs at once: every file is the old one or the new one, whole."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ipsevidence.analysis.resultfiles import read_result
from ipsevidence.dataset.collection import load
from tests.hostile.killing import ARGUMENTS
from tests.toy import ABOUT, STUDIES

ROOT = Path(__file__).parents[2]
KILLS = {"run": 60, "fmt": 90, "export": 30, "site": 20}
SPECS = ("toy-a", "toy-b", "toy-c", "toy-d")
SPEC = """schema: 1
id: {id}
title: toy
purpose: living
question: {{population: made up, intervention: made up, comparator: made up, outcome: made up}}
studies: {{where: {{}}}}
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is forked and killed")


@pytest.fixture
def checkout(tmp_path):
    """A dataset whose records are not in canonical form, with old/ and new/ empty."""
    for folder in ("studies", "analyses/results", "old", "new", "live"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "studies" / "_dataset.yaml").write_text(ABOUT)
    for name in SPECS:
        (tmp_path / "analyses" / f"{name}.yaml").write_text(SPEC.format(id=name))
    for name, text in STUDIES.items():
        loose = text.replace("schema: 1\n", "") + "schema: 1\n"
        (tmp_path / "studies" / f"{name}.yaml").write_text(loose)
    return tmp_path


def command(root, *arguments):
    run = subprocess.run(
        [sys.executable, "-m", "ipsevidence", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run


def keep(source, target):
    shutil.copytree(source, target, dirs_exist_ok=True)


def kills(root, verb):
    run = subprocess.run(
        [sys.executable, "-m", "tests.hostile.killing", verb, str(KILLS[verb])],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IPSEVIDENCE_DATA": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["kills"] == KILLS[verb]
    return seen


def test_it_is_two_hundred_times():
    assert sum(KILLS.values()) == 200
    assert set(KILLS) == set(ARGUMENTS)


def test_results(checkout):
    for name in SPECS:
        (checkout / "old" / f"{name}.json").write_text('{"old": true}\n')
    command(checkout, "run", "--all", "--update")
    keep(checkout / "analyses" / "results", checkout / "new")
    seen = kills(checkout, "run")
    assert seen["between"] > 0, "some were killed between two files"
    assert seen["old"] + seen["new"] == len(SPECS) * KILLS["run"]
    assert all(read_result(checkout / "new" / f"{name}.json")["id"] == name for name in SPECS)


def test_records(checkout):
    keep(checkout / "studies", checkout / "old")
    command(checkout, "fmt")
    keep(checkout / "studies", checkout / "new")
    seen = kills(checkout, "fmt")
    assert seen["between"] > 0, "some were killed between two files"
    assert len(load(checkout)) == len(STUDIES)


def test_tables(checkout):
    command(checkout, "export", "--out", "new")
    record = checkout / "studies" / "alpha-2001.yaml"
    record.rename(checkout / "alpha")
    command(checkout, "export", "--out", "old")
    (checkout / "alpha").rename(record)
    seen = kills(checkout, "export")
    assert seen["between"] > 0, "some were killed between two files"
    database = sqlite3.connect(checkout / "new" / "ipsevidence.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_site_of_five_records(checkout):
    """Pages, figures and the list of files: both builds have the same, so each is old or new."""
    for name in SPECS[1:]:
        (checkout / "analyses" / f"{name}.yaml").unlink()
    for path in sorted((checkout / "studies").glob("[!_]*.yaml"))[5:]:
        path.unlink()
    command(checkout, "site", "build", "--out", "new")
    label = checkout / "studies" / "alpha-2001.yaml"
    label.write_text(re.sub(r"(?m)^label: .*$", "label: Before", label.read_text()))
    command(checkout, "site", "build", "--out", "old")
    label.write_text(STUDIES["alpha-2001"])
    shutil.rmtree(checkout / "new")
    command(checkout, "site", "build", "--out", "new")
    old, new = ({path.relative_to(checkout / side) for path in (checkout / side).rglob("*")} for side in ("old", "new"))
    assert old == new
    seen = kills(checkout, "site")
    assert seen["between"] > 0, "some were killed between two files"
    assert seen["new"] + seen["old"] == KILLS["site"] * sum((checkout / "new" / path).is_file() for path in new)


def test_two_at_once_leave_whole_files(checkout):
    command(checkout, "run", "toy-a", "--update")
    keep(checkout / "analyses" / "results", checkout / "new")
    command(checkout, "fmt")
    formed = {path.name: path.read_bytes() for path in (checkout / "studies").iterdir()}
    for path in (checkout / "studies").glob("[!_]*.yaml"):
        path.write_text(path.read_text().replace("schema: 1\n", "") + "schema: 1\n")
    both = [
        subprocess.Popen([sys.executable, "-m", "ipsevidence", *arguments], cwd=checkout, stdout=subprocess.DEVNULL)
        for arguments in (["run", "toy-a", "--update"], ["run", "toy-a", "--update"], ["fmt"], ["fmt"])
    ]
    assert [child.wait(timeout=120) for child in both] == [0, 0, 0, 0]
    result = read_result(checkout / "analyses" / "results" / "toy-a.json")
    expected = read_result(checkout / "new" / "toy-a.json")
    assert {**result, "dataset": None} == {**expected, "dataset": None}  # its digest is of the bytes it was read from
    assert {path.name: path.read_bytes() for path in (checkout / "studies").iterdir()} == formed
    assert not list(checkout.rglob("*.part"))
