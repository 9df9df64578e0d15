"""`run --all`: claims and choices are judged, printed, committed and compared with the analyses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def call(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "ipsevidence", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """All records with one analysis and the two claims that rest on it, their results written."""
    root = tmp_path_factory.mktemp("small")
    shutil.copytree(ROOT / "studies", root / "studies")
    (root / "analyses" / "claims").mkdir(parents=True)
    for file in ("primary-smi.yaml", "claims/smi-at-least-doubles.yaml", "claims/smi-ratio-2-to-2-5.yaml"):
        shutil.copy(ROOT / "analyses" / file, root / "analyses" / file)
    done = call("run", "--all", "--update", "--data", root)
    assert done.returncode == 0, done.stderr
    assert "written: analyses/results/claims.json" in done.stdout
    assert "written: analyses/results/multiverse.json" in done.stdout
    return root


def test_the_table_of_verdicts_ends_the_run(small):
    done = call("run", "--all", "--data", small)
    assert done.returncode == 0, done.stderr
    claims = json.loads((small / "analyses/results/claims.json").read_text("utf-8"))["claims"]
    _, _, table = done.stdout.rpartition("2 claims: ")
    for claim in claims.values():
        assert claim["verdict"].replace("-", " ") in table
    counts = table.splitlines()[0]
    assert sum(int(part.split()[0]) for part in counts.split(", ")) == 2


def test_a_moved_verdict_is_reported(small):
    assert call("run", "--all", "--check", "--data", small).returncode == 0
    file = small / "analyses/results/claims.json"
    committed = file.read_text("utf-8")
    document = json.loads(committed)
    was = document["claims"]["smi-at-least-doubles"]["verdict"]
    document["claims"]["smi-at-least-doubles"]["verdict"] = "contradicted"
    file.write_text(json.dumps(document), "utf-8")
    moved = f'claims: claims.smi-at-least-doubles.verdict: "contradicted" -> "{was}"'
    try:
        done = call("run", "--all", "--check", "--data", small)
        assert done.returncode == 1
        assert moved in done.stdout
        assert "claims: moved; if it should have, run: ipsevidence run --all --update" in done.stdout
        assert "multiverse: as committed" in done.stdout
        done = call("run", "--all", "--check", "--json", "--data", small)
        assert done.returncode == 1
        assert moved in json.loads(done.stdout)["notes"]
        # One analysis alone judges no claim.
        assert call("run", "primary-smi", "--check", "--data", small).returncode == 0
    finally:
        file.write_text(committed, "utf-8")


def test_the_envelope_holds_claims_and_choices(small):
    done = call("run", "--all", "--json", "--data", small)
    assert [document["id"] for document in json.loads(done.stdout)["data"]] == ["primary-smi", "claims", "multiverse"]
    alone = call("run", "primary-smi", "--json", "--data", small)
    assert [document["id"] for document in json.loads(alone.stdout)["data"]] == ["primary-smi"]


def test_a_cross_check_is_no_part_of_what_is_committed(small):
    files = {file: file.read_bytes() for file in (small / "analyses" / "results").glob("*.json")}
    done = call("run", "--all", "--check", "--cross-check", "--data", small)
    assert "moved" not in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout
    assert "agree" in done.stdout
    assert call("run", "primary-smi", "--update", "--cross-check", "--data", small).returncode == 0
    assert {file: file.read_bytes() for file in files} == files
    done = call("run", "primary-smi", "--check", "--cross-check", "--json", "--data", small)
    assert json.loads(done.stdout)["data"][0]["cross_check"]
