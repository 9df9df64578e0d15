"""The wheel holds code, records, analyses and templates, and gives the same numbers outside any checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ANALYSIS = "bond-2019-nine-rcts"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel without a network, by the hatchling that is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "wheel", *offline]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def files(folder, pattern):
    return {path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file()}


def python(*arguments, cwd, path=None):
    """Run the interpreter in a folder, with `path` before what is installed, and no dataset named."""
    environment = {name: value for name, value in os.environ.items() if name != "IPSEVIDENCE_DATA"}
    environment |= {"PYTHONPATH": str(path)} if path else {}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(*arguments, cwd, path=None):
    return json.loads(python("-m", "ipsevidence", *arguments, "--json", cwd=cwd, path=path))["data"]


def test_the_wheel_holds_every_module_template_record_and_analysis(unpacked):
    package = unpacked / "ipsevidence"
    for pattern in ("**/*.py", "**/*.j2", "py.typed"):
        expected = files(ROOT / "ipsevidence", pattern)
        assert expected
        assert files(package, pattern) == expected
    assert (package / "report/templates/report.html.j2").is_file()
    for name in ("studies", "analyses"):
        expected = files(ROOT / name, "**/*")
        assert files(package / "_data" / name, "**/*") == expected
        for file in expected:
            assert (package / "_data" / name / file).read_bytes() == (ROOT / name / file).read_bytes()
    assert "_dataset.yaml" in files(package / "_data/studies", "*.yaml")
    assert len(files(package / "_data/studies", "[!_]*.yaml")) >= 193
    assert files(package / "_data/analyses", "claims/*.yaml")
    assert {"claims.json", "multiverse.json"} <= files(package / "_data/analyses/results", "*.json")


def test_the_wheel_holds_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    tops = {name.partition("/")[0] for name in names}
    assert {top.rpartition(".")[2] for top in tops - {"ipsevidence"}} == {"dist-info"}
    assert len(tops) == 2
    suffixes = {Path(name).suffix for name in names if name.startswith("ipsevidence/")}
    assert suffixes == {".py", ".j2", ".typed", ".yaml", ".json", ".ttf", ".txt", ".css", ".js", ".svg"}
    assert not [name for name in names if "test" in name.rpartition("/")[2].removesuffix(".py").split("_")]
    assert {"LICENSE", "LICENSE-DATA"} <= {name.rpartition("/")[2] for name in names}


def test_the_wheel_says_that_both_licences_apply(unpacked):
    (info,) = unpacked.glob("*.dist-info")
    about = (info / "METADATA").read_text(encoding="utf-8")
    assert "License-Expression: BSD-3-Clause AND CC-BY-4.0" in about
    assert "ipsevidence = ipsevidence.cli:main" in (info / "entry_points.txt").read_text(encoding="utf-8")


def test_outside_any_checkout_the_wheel_lists_the_same_studies(unpacked, tmp_path):
    code = "import ipsevidence; print(ipsevidence.__file__); print(ipsevidence.load().origin)"
    file, origin = python("-c", code, cwd=tmp_path, path=unpacked).splitlines()
    assert Path(file).is_relative_to(unpacked)
    assert origin == "installation"
    listed = said("list", cwd=tmp_path, path=unpacked)
    assert {f"{study['id']}.yaml" for study in listed} == files(ROOT / "studies", "[!_]*.yaml")
    assert listed == said("list", cwd=ROOT)


def test_outside_any_checkout_the_wheel_reproduces_the_same_numbers(unpacked, tmp_path):
    assert said("reproduce", ANALYSIS, cwd=tmp_path, path=unpacked) == said("reproduce", ANALYSIS, cwd=ROOT)
    for name, folder, path in (("wheel", tmp_path, unpacked), ("checkout", ROOT, None)):
        out = tmp_path / name
        python("-m", "ipsevidence", "reproduce", ANALYSIS, "--quiet", "--out", out, cwd=folder, path=path)
    there, here = tmp_path / "wheel", tmp_path / "checkout"
    assert json.loads((there / "results.json").read_text("utf-8")) == json.loads(
        (here / "results.json").read_text("utf-8")
    )
    assert (there / "inputs.csv").read_bytes() == (here / "inputs.csv").read_bytes()
