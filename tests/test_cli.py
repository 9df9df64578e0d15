"""The command line as a user meets it: output, exit codes, and one message for each mistake."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BCG = ROOT / "tests" / "data" / "bcg.csv"


def call(*arguments, cwd=ROOT, **environment):
    import os

    done = subprocess.run(
        [sys.executable, "-m", "ipsevidence", *map(str, arguments)],
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def data(*arguments, **keywords):
    done = call(*arguments, "--json", **keywords)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document) == {"schema", "command", "data", "notes"}
    return document["data"]


def test_help_and_version():
    assert "reproduce" in call("--help").stdout
    assert call("--version").stdout.startswith("ipsevidence 0.")


def test_pool_gives_the_numbers_of_metafor():
    # escalc(measure="RR") and rma(method="REML", test="knha") on dat.bcg, metafor 3.8-1
    result = data("pool", BCG, "--measure", "RR", "--tau2", "reml", "--interval", "hksj")["result"]
    assert result["estimate"] == pytest.approx(-0.714532342158, rel=1e-6)
    assert result["se"] == pytest.approx(0.180791744093, rel=1e-6)
    assert result["ci"]["low"] == pytest.approx(-1.10844371369, rel=1e-6)
    assert result["ci"]["high"] == pytest.approx(-0.320620970631, rel=1e-6)
    assert result["tau2"] == pytest.approx(0.313243258136, rel=1e-6)
    assert result["tau2_ci"]["low"] == pytest.approx(0.1197183611, rel=1e-6)
    assert result["q"] == pytest.approx(152.233008, rel=1e-8)
    assert result["prediction"]["low"] == pytest.approx(-1.996016834, rel=1e-6)
    assert result["prediction"]["high"] == pytest.approx(0.5669521499, rel=1e-6)


def test_pool_prints_for_people_and_takes_other_names(tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("trial;e1;t1;e2;t2\nA;32;42;12;43\nB;21;46;8;38\n", encoding="utf-8")
    done = call("pool", table, "--columns", "ai=e1,n1i=t1,ci=e2,n2i=t2", "--quiet")
    assert done.returncode == 0
    assert "32/42" in done.stdout
    assert "2 studies, random effects" in done.stdout


def test_list_and_show():
    studies = data("list")
    assert {"davis-2012", "lones-2017"} <= {study["id"] for study in studies}
    assert {study["analysis_group"] for study in data("list", "--group", "justice")} == {"justice"}
    shown = data("show", "davis-2012")
    assert shown["outcomes"][0]["readings"][0]["events"]["from"] == "s1"
    assert "percent-of-n" in call("show", "davis-2012").stdout


def copied(folder):
    """Copy the dataset with two analyses: all of them would be run again by every call."""
    import shutil

    kept = {"bond-2019-nine-rcts.yaml", "primary-justice.yaml"}
    shutil.copytree(ROOT / "studies", folder / "studies")
    shutil.copytree(ROOT / "analyses", folder / "analyses", ignore=shutil.ignore_patterns("claims", "results"))
    for spec in (folder / "analyses").glob("*.yaml"):
        if spec.name not in kept:
            spec.unlink()
    results = folder / "analyses" / "results"
    results.mkdir()
    for name in kept:
        result = f"{name.removesuffix('.yaml')}.json"
        shutil.copy(ROOT / "analyses" / "results" / result, results / result)
    return folder


def test_committed_results_are_current():
    done = call("run", "--all", "--check")
    assert done.returncode == 0, done.stdout


def test_run_check_and_a_moved_result(tmp_path):
    copied(tmp_path)
    result = tmp_path / "analyses" / "results" / "bond-2019-nine-rcts.json"
    assert call("run", "--all", "--update", "--data", tmp_path).returncode == 0
    assert call("run", "--all", "--check", "--data", tmp_path).returncode == 0
    committed = result.read_text(encoding="utf-8")
    result.write_text(committed.replace('"k": 9', '"k": 8', 1), encoding="utf-8")
    done = call("run", "bond-2019-nine-rcts", "--check", "--data", tmp_path)
    assert done.returncode == 1
    assert "result.k: 8 -> 9" in done.stdout
    done = call("run", "bond-2019-nine-rcts", "--check", "--json", "--data", tmp_path)
    assert done.returncode == 1
    assert "bond-2019-nine-rcts: result.k: 8 -> 9" in json.loads(done.stdout)["notes"]
    result.write_text("{", encoding="utf-8")
    done = call("run", "bond-2019-nine-rcts", "--check", "--data", tmp_path)
    assert done.returncode == 1
    assert "there is no readable committed result" in done.stdout
    assert call("run", "--all", "--update", "--data", tmp_path).returncode == 0
    assert result.read_text(encoding="utf-8") == committed
    result.unlink()
    assert "no committed result" in call("run", "--all", "--check", "--data", tmp_path).stdout


def test_data_are_found_in_order(tmp_path):
    import shutil

    def origin(*arguments, **keywords):
        return json.loads(call("list", "--json", *arguments, **keywords).stdout)["notes"][0]

    for place in ("named", "variable"):
        for folder in ("studies", "analyses"):
            shutil.copytree(ROOT / folder, tmp_path / place / folder)
    variable = str(tmp_path / "variable")
    assert "the folder given" in origin("--data", tmp_path / "named", IPSEVIDENCE_DATA=variable)
    assert "IPSEVIDENCE_DATA" in origin(IPSEVIDENCE_DATA=variable)
    assert "the checkout" in origin()
    assert "the installed package" in origin(cwd=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "davis-2o12"], "study 'davis-2o12' is not in the dataset; nearest: davis-2012"),
        (["list", "--group", "smi2"], "nearest: 'smi'"),
        (["list", "--data", "/nowhere"], "holds no studies/ folder"),
        (["run"], "name analyses, or give --all; there are"),
        (["run", "--all", "--check", "--update"], "--check or --update"),
        (["reproduce", "bond-2019-nine-rct"], "nearest: bond-2019-nine-rcts"),
        (["pool", "nothing.csv"], "nothing.csv: no such file"),
        (["pool", str(BCG), "--tau2", "REML"], "nearest: 'reml'"),
        (["pool", str(BCG), "--columns", "ai"], "wants pairs such as ai=events_ips"),
        (["figure", "forrest", "bond-2019-nine-rcts", "-o", "x.svg"], "nearest: 'forest'"),
        (["figure", "forest", "bond-2019-nine-rcts", "-o", "x.doc"], ".svg"),
        (["figure", "forest", "bond-2019-nine-rcts", "-o", "x.svg", "--style", "jam"], "default"),
        (["validate", "nothing.yaml"], "no such file: nothing.yaml"),
        (["nothing"], "No such command"),
        (["validate", "docs/images"], "no .yaml file in the folder docs/images"),
        (["pool", str(BCG), "--level", "nan"], "level must be above 0 and below 1"),
        (["pool", str(BCG), "--ci-level", "95"], "--ci-level must be above 0 and below 1"),
        (["pool", str(BCG), "--measure", "MD"], "measure must be one of {'OR', 'RR', 'RD'}"),
        (["pool", str(BCG), "--columns", "events=ai"], "names 'events', which is none of ai"),
        (["pool", str(BCG), "--columns", "ai=ai,ai=ci"], "--columns names one of ours twice"),
        (["export", "--out", "x.svg", "--spec", "bond-2019-nine-rcts"], "--spec goes with --for"),
        (["figure", "forest", str(BCG), "-o", "x.svg", "--set", "arms=IPS"], "arms must be two texts"),
        (["figure", "forest", str(BCG), "-o", "x.svg", "--set", "arms="], "--set wants NAME=VALUE"),
        (["figure", "forest", str(BCG), "-o", "x.svg", "--set", "wide", "--set", "wide"], "--set gives wide twice"),
        (["figure", "forest", str(BCG), "-o", "x.svg", "--set", "colour=red"], "forest has no option 'colour'"),
        (["figure", "forest", str(BCG), "-o", "x.svg", "--where", "group=smi"], "--where is for analyses"),
        (["figure", "forest", "primary", "-o", "x.svg", "--by", "colour"], "--by must be one of"),
        (["figure", "forest", "-o", "x.svg"], "forest needs an analysis"),
        (["figure", "forest", str(BCG)], "name the file to write"),
        (["figure", "pie", str(BCG), "-o", "x.svg"], "kind must be one of"),
        (["figure", "forest", "bond-2019-nine-rcts", "-o", "x.svg", "--level", "0.9"], "--level: only for a table"),
    ],
)
def test_each_mistake_is_one_message_and_exit_code_2(arguments, message, tmp_path):
    done = call(*arguments, cwd=ROOT if "x.svg" not in arguments else tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_validate_and_fmt(tmp_path):
    assert "0 errors" in call("validate").stdout
    record = (ROOT / "studies" / "davis-2012.yaml").read_text(encoding="utf-8")
    broken = tmp_path / "davis-2012.yaml"
    broken.write_text(record.replace('countries: ["US"]', "countries: [NO]"), encoding="utf-8")
    done = call("validate", broken)
    assert done.returncode == 1
    line = next(i for i, text in enumerate(record.splitlines(), 1) if 'countries: ["US"]' in text)
    assert f"davis-2012.yaml:{line}:" in done.stdout
    assert "fix:" in done.stdout
    findings = json.loads(call("validate", broken, "--json").stdout)["data"]["findings"]
    assert findings[0]["line"] == line
    loose = tmp_path / "loose" / "davis-2012.yaml"
    loose.parent.mkdir()
    loose.write_text(record.replace("label: Davis 2012", 'label:   "Davis 2012"'), encoding="utf-8")
    assert call("fmt", "--check", loose).returncode == 1
    assert call("fmt", loose).returncode == 0
    assert loose.read_text(encoding="utf-8") == record
    assert call("fmt", "--check", loose).returncode == 0


def test_a_spec_is_validated_too(tmp_path):
    spec = (ROOT / "analyses" / "bond-2019-nine-rcts.yaml").read_text(encoding="utf-8")
    folder = tmp_path / "analyses"
    folder.mkdir()
    (folder / "mine.yaml").write_text(spec.replace("tau2: dl", "tau2: DL", 1), encoding="utf-8")
    done = call("validate", folder)
    assert done.returncode == 1
    assert "analyses/mine.yaml" in done.stdout
    assert "dl" in done.stdout


def test_no_colour_in_a_pipe():
    assert "\x1b[" not in call("reproduce", "bond-2019-nine-rcts").stdout


def test_without_arguments_it_is_help():
    done = call()
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Commands:" in done.stdout


def test_only_analyses_of_the_dataset_have_committed_results(tmp_path):
    import shutil

    root = copied(tmp_path / "data")
    shipped = root / "analyses" / "bond-2019-nine-rcts.yaml"
    mine = Path(shutil.copy(shipped, tmp_path / "bond-2019-nine-rcts.yaml"))
    result = root / "analyses" / "results" / "bond-2019-nine-rcts.json"
    before = result.read_bytes()
    for option in ("--check", "--update"):
        done = call("run", mine, option, "--data", root)
        assert done.returncode == 2
        assert "for the analyses of the dataset" in done.stderr
        assert result.read_bytes() == before
    assert call("run", mine, "--data", root, "--quiet").returncode == 0
    assert call("run", shipped, "--update", "--data", root).returncode == 0
    assert call("run", shipped, "--check", "--data", root).returncode == 0


def test_results_are_not_written_into_an_installation():
    from types import SimpleNamespace

    from typer import BadParameter

    from ipsevidence.terminal.analyses import _shipped_only

    root = Path("/usr/lib/python3/site-packages/ipsevidence/_data")
    installed = SimpleNamespace(root=root, origin="installation")
    _shipped_only([], installed, update=False)
    with pytest.raises(BadParameter, match="installed package"):
        _shipped_only([], installed, update=True)


EVIL = "\x1b[31mred\u202e"


def evil_table(folder, *, good=True):
    table = folder / "evil.csv"
    rows = f"{EVIL},32,42,12,43\nB,21,46,8,38\n" if good else f"A,{EVIL},42,12,43\n"
    table.write_text("trial,ai,n1i,ci,n2i\n" + rows, encoding="utf-8")
    return table


def test_nothing_of_a_file_steers_the_terminal(tmp_path):
    table = evil_table(tmp_path)
    outputs = [call("pool", table).stdout, call("pool", table, "--json").stdout]
    outputs.append(call("pool", evil_table(tmp_path, good=False)).stderr)
    table.write_text(f"{EVIL},ai\n", encoding="utf-8")
    outputs.append(call("pool", table).stderr)
    for output in outputs:
        assert "red" in output
        assert "\x1b" not in output
        assert "\u202e" not in output
    assert json.loads(outputs[1])["data"]["inputs"][0]["label"] == EVIL


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_output_in_another_encoding(encoding, tmp_path):
    table = evil_table(tmp_path)
    for arguments in (["show", "hellstrom-2017"], ["pool", table], ["list", "--json"], ["--help"]):
        done = call(*arguments, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert done.returncode == 0, done.stderr
    names = {study["id"]: study for study in json.loads(call("list", "--json").stdout)["data"]}
    there = json.loads(call("list", "--json", PYTHONIOENCODING="ascii").stdout)["data"]
    assert {study["id"]: study for study in there} == names


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize(
    "arguments", [["list"], ["list", "--json"], ["stats"], ["--help"], ["run", "primary-justice", "--json"]]
)
def test_a_reader_that_goes_away_is_no_error(arguments):
    import os

    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "ipsevidence", *arguments],
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_pool_shows_the_effect_on_its_own_scale(tmp_path):
    for options in ([], ["--quiet"]):
        shown = call("pool", BCG, "--measure", "RR", *options).stdout
        assert "risk ratio 0.49 (95% CI 0.33 to 0.73)" in shown
        assert "The fit, on the log scale:" in shown
    shown = call("pool", BCG, "--measure", "RD", "--level", "0.9").stdout
    assert "risk difference" in shown
    assert "(90% CI" in shown
    assert "log scale" not in shown
    table = tmp_path / "groups.csv"
    lines = "".join(f"{name},{3 + i},20,{2 + i},20,{'Young' if i % 2 else 'Old'}\n" for i, name in enumerate("ABCDEF"))
    table.write_text("study,ai,n1i,ci,n2i,group\n" + lines, encoding="utf-8")
    assert "Young: odds ratio" in call("pool", table, "--quiet").stdout
    assert "Young" in call("pool", table).stdout
    done = call("figure", "forest", table, "-o", tmp_path / "f.svg")
    assert done.returncode == 0, done.stderr
    assert "Young" in (tmp_path / "f.svg").read_text(encoding="utf-8")


def test_level_of_the_input_and_of_the_output(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("study,estimate,ci_low,ci_high\nA,2,1,4\nB,3,1.5,6\n", encoding="utf-8")
    plain = data("pool", table)["result"]
    assert data("pool", table, "--level", "0.9")["result"]["q"] == plain["q"]
    assert data("pool", table, "--ci-level", "0.9")["result"]["q"] < plain["q"]


def test_a_figure_of_a_table_takes_the_options_of_pool(tmp_path):
    options = ["--tau2", "dl", "--interval", "wald", "--prediction", "none", "--level", "0.9", "--measure", "RR"]
    words = ["--set", "arms=Vaccine, Nothing", "--set", "favours=fewer cases,more cases"]
    done = call("figure", "forest", BCG, "-o", tmp_path / "f.svg", *options, *words)
    assert done.returncode == 0, done.stderr
    drawn = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert "90%" in drawn
    for word in ("Vaccine", "Nothing", "fewer cases", "more cases"):
        assert word in drawn
    done = call("figure", "forest", "bond-2019-nine-rcts", "-o", tmp_path / "g.eps", *words)
    assert done.returncode == 0, done.stderr


def test_fmt_leaves_alone_what_is_no_record(tmp_path):
    other = tmp_path / "workflow.yaml"
    other.write_text("name: b\njobs:   {z: 1}\n", encoding="utf-8")
    done = call("fmt", other)
    assert done.returncode == 1
    assert "workflow.yaml:1:" in done.stderr
    assert other.read_text(encoding="utf-8") == "name: b\njobs:   {z: 1}\n"
