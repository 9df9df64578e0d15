"""The mutation campaign: no traceback, no hang, no number changed in silence.

IPSEVIDENCE_MUTANTS=200000 asks for more copies than the 20,000 of every run, IPSEVIDENCE_SEED for others.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from ipsevidence.analysis.field_changes import field_changes
from tests.dataset.mutations import KINDS, damage
from tests.hostile import campaign as campaign_module
from tests.hostile.campaign import LONGEST, ROUND, campaign, outcome_of, record_of

COPIES = int(os.environ.get("IPSEVIDENCE_MUTANTS", "20000"))
FIRST = int(os.environ.get("IPSEVIDENCE_SEED", "0"))
BY_COMMAND = 60
WORKERS = 2


@pytest.fixture(scope="module")
def result():
    step = -(-COPIES // (8 * WORKERS * ROUND)) * ROUND
    starts = range(FIRST, FIRST + COPIES, step)
    ends = [min(start + step, FIRST + COPIES) for start in starts]
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(campaign, starts, ends))
    return sum((counts for counts, _ in parts), Counter()), max(slowest for _, slowest in parts)


def test_every_copy_is_refused_or_says_what_it_said(result):
    counts, _ = result
    assert counts.total() == COPIES
    assert counts["refused"] > 0.8 * COPIES
    accepted = {name.partition(",")[0] for name in counts} - {"refused"}
    assert accepted <= {"same", "text", "removed", "number"}


def test_no_copy_takes_long(result):
    _, (seconds, kind, seed) = result
    assert seconds < LONGEST, f"{kind}, seed {seed}: {seconds:.2f} s"


def test_every_number_that_was_changed_is_found(result):
    counts, _ = result
    assert counts["number, found by a check"] > 0.02 * COPIES
    assert counts["number"] == 0
    assert counts["same, found by a check"] == 0


def test_a_number_that_only_the_log_could_explain_would_be_missed(monkeypatch):
    """What is found where nothing is known of the version before: less than all."""
    monkeypatch.setattr(campaign_module, "unlogged", lambda *_: ())
    outcomes = Counter(outcome_of(record_of(seed), damage(record_of(seed), seed)) for seed in range(1000))
    assert outcomes["number", True] > outcomes["number", False] > 0


def test_a_number_that_diff_kept_to_itself_would_be_seen(monkeypatch):
    original, done = next(
        (record_of(seed), damage(record_of(seed), seed))
        for seed in range(1000)
        if outcome_of(record_of(seed), damage(record_of(seed), seed)) == ("number", True)
    )
    quiet = field_changes({"notes": "x"}, {"notes": "y"})  # a change of words alone
    monkeypatch.setattr(campaign_module, "field_changes", lambda *_: quiet)
    with pytest.raises(AssertionError):
        outcome_of(original, done)


def test_every_kind_of_damage_takes_part():
    done = {damage(record_of(seed), seed).kind for seed in range(min(COPIES, 4 * len(KINDS)))}
    assert done == set(KINDS)


def test_a_change_of_two_numbers_would_be_seen():
    original = record_of(0)
    done = next(damage(original, seed) for seed in range(1000) if damage(original, seed).outcome == "digits")
    tampered = type(done)(done.data.replace(b"value: ", b"value: 1", 2), done.kind, done.what, done.outcome)
    with pytest.raises(AssertionError):
        outcome_of(original, tampered)


def test_through_the_command_line(tmp_path):
    """Sixty copies through `validate`: findings, never a traceback or a hang."""
    names = []
    for seed in range(FIRST, FIRST + BY_COMMAND):
        (tmp_path / str(seed)).mkdir()
        names.append(tmp_path / str(seed) / "x.yaml")
        names[-1].write_bytes(damage(record_of(seed * ROUND), seed).data)
    alone = called(["--version"], tmp_path / "alone")[3]
    with ThreadPoolExecutor(WORKERS) as pool:
        ended = list(pool.map(lambda name: called(["validate", "--json", str(name)], name.parent / "told"), names))
    for name, (code, out, error, seconds) in zip(names, ended, strict=True):
        assert code in (0, 1), (name, error)
        assert "Traceback" not in error
        assert seconds - alone < 1 + LONGEST, (name, seconds)  # a second for the libraries that only `validate` loads
        found = json.loads(out)["data"]["findings"]
        assert (code == 1) == any(finding["severity"] == "error" for finding in found)


def called(arguments, told):
    """Run the command; return its code, output, errors and seconds of processor time."""
    out, error = told.with_suffix(".out"), told.with_suffix(".err")
    with out.open("wb") as to_out, error.open("wb") as to_error:
        child = subprocess.Popen([sys.executable, "-m", "ipsevidence", *arguments], stdout=to_out, stderr=to_error)
    for _ in range(6000):
        pid, status, used = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            seconds = used.ru_utime + used.ru_stime
            return child.returncode, out.read_text(encoding="utf-8"), error.read_text(encoding="utf-8"), seconds
        time.sleep(0.01)
    child.kill()
    child.wait()
    raise AssertionError(f"{arguments} hangs")
