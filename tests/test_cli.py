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
        text=True,
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


def test_run_check_and_a_moved_result(tmp_path):
    import shutil

    assert call("run", "--all", "--check").returncode == 0
    for folder in ("studies", "analyses"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    result = tmp_path / "analyses" / "results" / "bond-2019-nine-rcts.json"
    committed = result.read_text(encoding="utf-8")
    result.write_text(committed.replace('"k": 9', '"k": 8', 1), encoding="utf-8")
    done = call("run", "bond-2019-nine-rcts", "--check", "--data", tmp_path)
    assert done.returncode == 1
    assert "result.k: 8 -> 9" in done.stdout
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
        (["run"], "name analyses, or give --all; there are: bond-2019-nine-rcts"),
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
