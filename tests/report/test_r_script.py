"""The R script of every committed analysis agrees with metafor, in one R process; and it can fail."""

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows, run
from ipsevidence.analysis.specfiles import find_spec, spec_files
from ipsevidence.analysis.usertables import table_spec
from ipsevidence.core import NotApplicable
from ipsevidence.dataset.collection import load
from ipsevidence.report.notebook import notebook
from ipsevidence.report.page import inputs_csv, spec_text
from ipsevidence.report.r_script import expected, r_script

ROOT = Path(__file__).parents[2]

# Each script in an environment of its own, with a quit() that tells the status instead of leaving R.
DRIVER = """
for (folder in list.dirs(commandArgs(TRUE)[1], recursive = FALSE)) {
  e <- new.env()
  e$quit <- function(save = "no", status = 0, ...) stop(paste("status", status))
  said <- ""
  printed <- capture.output(tryCatch(sys.source(file.path(folder, "analysis.R"), e, chdir = TRUE),
                                     error = function(err) said <<- conditionMessage(err)))
  last <- if (length(printed)) trimws(printed[length(printed)]) else ""
  cat(basename(folder), if (nzchar(said)) said else last, sep = "\\t")
  cat("\\n")
}
"""


def every_run(dataset):
    for name in spec_files(dataset.root):
        spec = find_spec(name, dataset.root)
        yield name, run(spec.model_copy(update={"sensitivity": (), "moderators": (), "published": (),
                                                "report": type(spec.report)()}), dataset)  # fmt: skip


@pytest.fixture(scope="module")
def runs():
    return dict(every_run(load(ROOT)))


def written(folder, analysis):
    folder.mkdir()
    (folder / "analysis.R").write_text(r_script(analysis), encoding="utf-8")
    (folder / "inputs.csv").write_text(inputs_csv(analysis), encoding="utf-8")


def said_by(rscript, folder):
    (folder.parent / "driver.R").write_text(DRIVER)
    command = [rscript, "--vanilla", str(folder.parent / "driver.R"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return dict(line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line)


def test_metafor_agrees_with_every_committed_analysis(rscript, runs, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    for name, analysis in runs.items():
        written(folder / name, analysis)
    said = said_by(rscript, folder)
    assert set(said) == set(runs)
    pooled = {name for name, one in runs.items() if not isinstance(one.fit, NotApplicable)}
    assert len(pooled) > 20
    assert {name for name, text in said.items() if text == "The two agree."} == pooled
    for name in set(runs) - pooled:
        assert said[name].startswith("There is no pooled effect to repeat"), name


def test_a_number_that_is_not_that_of_metafor_is_found_out(rscript, runs, tmp_path):
    folder = tmp_path / "wrong"
    folder.mkdir()
    right = runs["bond-2019-nine-rcts"]
    for name, gap in {"estimate": 2e-6, "tau2": 2e-6}.items():
        written(folder / name, dataclasses.replace(right, fit=dataclasses.replace(
            right.fit, **{name: getattr(right.fit, name) + gap})))  # fmt: skip
    written(folder / "right", right)
    alone = subprocess.run([rscript, str(folder / "tau2" / "analysis.R")], capture_output=True, text=True, check=False)
    assert alone.returncode == 1
    assert said_by(rscript, folder) == {"estimate": "status 1", "tau2": "status 1", "right": "The two agree."}


def test_a_changed_input_is_found_out(rscript, runs, tmp_path):
    (tmp_path / "all").mkdir()
    folder = tmp_path / "all" / "one"
    written(folder, runs["bond-2019-nine-rcts"])
    lines = (folder / "inputs.csv").read_text(encoding="utf-8")
    assert ",32," in lines
    (folder / "inputs.csv").write_text(lines.replace(",32,", ",31,", 1), encoding="utf-8")
    assert said_by(rscript, tmp_path / "all") == {"one": "status 1"}


def test_hostile_text_stays_text(rscript, tmp_path):
    evil = 'x"\n); quit(status = 7) # \\'
    rows = tuple(
        StudyRow(id=i, label=evil, counts=Counts(events1=5 + n, n1=20, events2=2, n2=20)) for n, i in enumerate("abc")
    )
    spec = table_spec("t", {}).model_copy(update={"title": evil})
    (tmp_path / "all").mkdir()
    written(tmp_path / "all" / "evil", pool_rows(spec, rows))
    none = dataclasses.replace(pool_rows(spec, rows), fit=NotApplicable(reason=evil))
    written(tmp_path / "all" / "none", none)
    said = said_by(rscript, tmp_path / "all")
    assert said["evil"] == "The two agree."
    assert said["none"].startswith("There is no pooled effect to repeat: x")


def test_what_is_missing_is_not_compared(runs):
    assert "prediction_low" not in expected(runs["frederick-2019-two-calls"].fit)
    assert set(expected(runs["primary"].fit)) == {
        "estimate", "se", "ci_low", "ci_high", "tau2", "q", "prediction_low", "prediction_high"
    }  # fmt: skip


def executed(analysis, folder, monkeypatch):
    (folder / "inputs.csv").write_text(inputs_csv(analysis), encoding="utf-8")
    monkeypatch.chdir(folder)
    names = {}
    for cell in json.loads(notebook(analysis))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    return names


def test_the_notebook_of_every_committed_analysis_runs_and_agrees(runs, tmp_path, monkeypatch, capsys):
    pooled = 0
    for name, analysis in runs.items():
        found = executed(analysis, tmp_path, monkeypatch)
        if isinstance(analysis.fit, NotApplicable):
            assert found == {}
            assert "There is no pooled effect" in notebook(analysis)
            continue
        pooled += 1
        assert found["fit"].estimate == pytest.approx(analysis.fit.estimate, abs=1e-9), name
        assert "The two agree." in capsys.readouterr().out
    assert pooled > 20


def test_the_notebook_finds_a_difference(runs, tmp_path, monkeypatch):
    right = runs["primary"]
    wrong = dataclasses.replace(right, fit=dataclasses.replace(right.fit, estimate=right.fit.estimate + 2e-6))
    with pytest.raises(SystemExit, match="The two differ: estimate"):
        executed(wrong, tmp_path, monkeypatch)


def test_the_notebook_is_of_format_4(runs):
    document = json.loads(notebook(runs["primary"]))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in document["cells"]]
    assert len(ids) == len(set(ids))
    for cell in document["cells"]:
        wanted = {"cell_type", "id", "metadata", "source"}
        assert set(cell) == (wanted | {"execution_count", "outputs"} if cell["cell_type"] == "code" else wanted)


def test_the_resolved_spec_is_the_same_analysis(tmp_path):
    dataset = load(ROOT)
    for name in spec_files(dataset.root):
        spec = find_spec(name, dataset.root)
        (tmp_path / f"{name}.yaml").write_text(spec_text(spec), encoding="utf-8")
        assert find_spec(tmp_path / f"{name}.yaml", dataset.root) == spec, name
