"""What the verb answer prints: caveats before numbers, one screen, strips for every terminal."""

import io
import json
import re
import sys

import pytest

from ipsevidence import core
from ipsevidence.analysis.answers import answer
from ipsevidence.dataset.collection import load
from ipsevidence.terminal.answer import answered
from ipsevidence.terminal.output import UserError


def printed(capsys, population, baseline=None, **options):
    answered(population, baseline, None, **{"out": None, "as_json": False, "quiet": False, **options})
    return capsys.readouterr().out


def test_caveats_come_before_the_numbers(capsys):
    text = printed(capsys, "all")
    order = [text.index(part) for part in ("Know first", "eligible trials", "Estimate", "Of 100 people", "certainty")]
    assert order == sorted(order)
    found = answer("all", None, load())
    assert f"risk ratio {found.estimate.value:.2f} (95% CI {found.estimate.ci.low:.2f}" in text
    assert f"{found.coverage.k} of {found.coverage.eligible} eligible trials" in text


def test_it_fits_a_screen(capsys):
    for population in ("all", "justice", "mixed"):
        lines = printed(capsys, population).splitlines()
        assert len(lines) < 75
        assert max(map(len, lines[:-1])) <= 100


@pytest.mark.parametrize("population", ["all", "justice", "veterans-ptsd", "tag-substance-use"])
def test_a_strip_for_every_trial(capsys, population):
    text = printed(capsys, population)
    found = answer(population, None, load())
    strips = {line.strip()[: len(row.label)]: line for row in found.run.rows for line in text.splitlines()}
    for row, y in zip(found.run.rows, found.run.y, strict=True):
        assert "■" in strips[row.label]
        assert f"{found.run.shown(y):.2f} (" in strips[row.label]
    assert ("◆" in text) == (found.k > 1)


def test_strips_stand_where_their_numbers_are(capsys):
    text = printed(capsys, "all")
    strips = [line for line in text.splitlines() if "■" in line]
    null = min(line.index("│") for line in strips if "│" in line)
    for line in strips:
        value, low = map(float, re.search(r"([\d.]+) \(([\d.]+) to", line).groups())
        assert (line.index("■") > null) == (value > 1)
        if low > 1.2:
            assert line.index("─") > null
    by_value = sorted(strips, key=lambda line: float(re.search(r"([\d.]+) \(", line).group(1)))
    places = [line.index("■") for line in by_value]
    assert places == sorted(places)


def test_a_terminal_without_the_signs_gets_others(monkeypatch):
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    monkeypatch.setattr(sys, "stdout", plain)
    answered("smi", None, None, out=None, as_json=False, quiet=False)
    plain.flush()
    text = plain.buffer.getvalue().decode("ascii")
    strip = next(line for line in text.splitlines() if line.startswith("  Bond 2007"))
    assert "#" in strip
    assert "|" in strip
    assert "?" not in strip


def test_json_for_machines(capsys):
    document = json.loads(printed(capsys, "justice", as_json=True))
    assert set(document) == {"schema", "command", "data", "notes"}
    assert document["command"] == "answer"
    assert document["data"]["caveats"][0].startswith("One trial, not a pool")
    assert document["data"]["absolute"]["headline"] == "trial"


def test_quiet_keeps_the_caveats(capsys):
    text = printed(capsys, "all", quiet=True)
    assert "Know first" in text
    assert "Estimate" in text
    assert "certainty" not in text
    assert "data from" not in text


def test_a_forest_plot_beside_it(capsys, tmp_path):
    text = printed(capsys, "smi", out=tmp_path / "smi.svg")
    assert "written:" in text
    assert (tmp_path / "smi.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_no_trial_says_who_has_no_numbers(capsys):
    text = printed(capsys, "mixed")
    assert "none: no trial gives a usable number" in text
    assert "Eligible, and without a usable number" in text


def test_mistakes_are_the_users_own():
    for arguments in (("nobody", None), ("all", 0.99), ("mixed", 0.2)):
        with pytest.raises(core.InputError) as error:
            answered(*arguments, None, out=None, as_json=False, quiet=False)
        assert UserError.of(error.value) is not None
