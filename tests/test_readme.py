"""The README says what is true: its commands exist and its numbers are those of the analysis."""

import math
import re
from pathlib import Path

import ipsevidence
from ipsevidence.cli import app

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def shown(interval):
    return f"{math.exp(interval.low):.2f} to {math.exp(interval.high):.2f}"


def test_its_numbers_are_those_of_the_analysis():
    run = ipsevidence.run("bond-2019-nine-rcts", ipsevidence.load(ROOT))
    today = next(v.fit for v in run.sensitivity if v.id == "reml-hksj")
    words = re.sub(r"\s+", " ", TEXT)
    for part in (
        f"give an odds ratio of {math.exp(run.fit.estimate):.2f} (95% CI {shown(run.fit.ci)})",
        f"pooled odds ratio {math.exp(run.fit.estimate):.2f}, 95% CI {shown(run.fit.ci)}, prediction interval",
        f"prediction interval {shown(run.fit.prediction)}",
        f"gives {math.exp(today.estimate):.2f} ({shown(today.ci)})",
        f"prediction interval from {shown(today.prediction)}",
    ):
        assert part in words


def test_what_it_says_of_today_is_what_comes_out():
    from ipsevidence.analysis.covering import coverage_of

    dataset = ipsevidence.load(ROOT)
    run = ipsevidence.run("primary", dataset)
    coverage = coverage_of(run, dataset)
    odds = next(variation.fit for variation in run.sensitivity if variation.id == "odds-ratio")
    entering = sum(one.enters for one in coverage.absent)
    words = re.sub(r"\s+", " ", TEXT)
    no_effect, stated = (math.exp(bound.fit.estimate) for bound in coverage.bounds)
    for part in (
        f"risk ratio {math.exp(run.fit.estimate):.2f}, 95% CI {shown(run.fit.ci)}; prediction interval",
        f"prediction interval {shown(run.fit.prediction)}",
        f"{coverage.k} of {coverage.eligible} eligible trials and a seventh of their participants",
        f"if the {entering} of them that can be placed had no effect the pool would be {no_effect:.2f}, if each had",
        f"if each had the effect that is stated of it {stated:.2f}",
        f"As an odds ratio, which common outcomes make look larger, it is {math.exp(odds.estimate):.2f}",
        f"({shown(odds.ci)}). The",
    ):
        assert part in words
    assert round(1 / coverage.share) == 7


def test_its_counts_are_those_of_the_dataset():
    assert f"{len(ipsevidence.load(ROOT))} trials, pilots, services and studies of fidelity" in TEXT
    assert f"{len(list((ROOT / 'analyses' / 'published').glob('*.yaml')))} published reviews" in TEXT


def test_its_commands_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", TEXT, re.MULTILINE):
        assert f"\n{target}:" in makefile
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands}
    verbs |= {group.name or group.typer_instance.info.name for group in app.registered_groups}
    used = set(re.findall(r"^ipsevidence (\w+)", TEXT, re.MULTILINE))
    assert used
    assert used <= verbs


def test_its_links_resolve():
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", TEXT):
        assert (ROOT / link).exists(), link


def test_its_python_runs(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL).group(1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPSEVIDENCE_DATA", str(ROOT))
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "forest.pdf").stat().st_size > 10_000
