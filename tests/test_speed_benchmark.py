"""The benchmark of speed: its page is made from its results, its fits converge, absent programs are named."""

import subprocess

import pytest

from benchmarks import speed_others, speed_ours
from benchmarks.speed_data import PM, SIZES, WORKS, measured, studies, summed
from benchmarks.speed_page import (
    FIGURE,
    FOLDER,
    PAGE,
    TABLES,
    draw_figure,
    read_results,
    table_of_works,
    with_tables,
    write_results,
)
from ipsevidence import core

MADE_UP = {
    "machine": {},
    "versions": {"other": "1.0"},
    "times": {work: {"here": [0.002, 0.001, 0.004]} for work in WORKS},
}


@pytest.fixture(scope="module")
def results():
    return read_results()


def test_the_page_is_made_from_the_committed_results(results):
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text, results) == text
    assert [name for name in TABLES if f"<!-- table: {name} -->" not in text] == []


def test_the_figure_is_made_from_the_committed_results(results, tmp_path):
    for path in draw_figure(results, tmp_path):
        assert path.read_bytes() == (FOLDER / path.name).read_bytes()
    assert f"{FIGURE}.svg" in PAGE.read_text(encoding="utf-8")


def test_all_work_was_done_here_and_every_fit_converged(results):
    assert [work for work in WORKS if not results["times"][work].get("here")] == []
    assert results["converged"] == {"fits": 10_000, "converged": 10_000}


def test_memory_does_not_grow_with_the_fits(results):
    assert max(results["scaling"]["memory"].values()) < 500e6


def test_what_is_counted_as_converged():
    assert speed_ours.converged(700) == {"fits": 700, "converged": 700}


def test_two_processes_give_the_same_numbers():
    y, v, _ = studies(9)
    assert core.gosh(y, v, chunk=200, mapper=speed_ours.two_processes).to_dict() == core.gosh(y, v).to_dict()


def test_a_cell_has_median_ends_and_ratio():
    times = {**MADE_UP["times"], PM[10]: {"here": [0.002, 0.001, 0.004], "other": [0.5]}}
    table = table_of_works({**MADE_UP, "times": times})
    assert f"| {PM[10]} | 2 (1–4) ms | 500 ms, **250×** |" in table
    assert f"| {PM[100]} | 2 (1–4) ms | – |" in table
    assert summed([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0)


def test_the_first_run_is_not_counted():
    calls = []
    assert len(measured(lambda: calls.append(1), 4)) == 4
    assert len(calls) == 5
    assert len(measured(lambda: None, 100, seconds=0.0)) == 1


def test_a_program_that_cannot_be_had_is_left_out_with_a_word(monkeypatch):
    def none(*_):
        raise subprocess.CalledProcessError(1, "pip", stderr="collecting\nno matching distribution\n")

    monkeypatch.setattr(speed_others, "_run", none)
    monkeypatch.setattr(speed_others.venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(speed_others.shutil, "which", lambda _: None)
    told = []
    assert list(speed_others.others(True, told.append)) == []
    assert "metafor is left out: there is no Rscript" in told
    assert "PyMARE is left out: no matching distribution" in told


def test_results_are_written_short(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.speed_page.RESULTS", tmp_path / "speed.json")
    write_results({"runs": [0.123456, 1], "by": {10: 2.000001}})
    assert read_results() == {"runs": [0.1235, 1], "by": {"10": 2.0}}
    assert "[ 0.1235, 1 ]" in (tmp_path / "speed.json").read_text(encoding="utf-8")


def test_the_numbers_of_studies_are_those_that_are_timed():
    assert [studies(k)[0].size for k in SIZES] == list(SIZES)
