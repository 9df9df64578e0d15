"""The committed reference values are what the committed script gives, where R is there to ask."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "metafor"


def numbers(value, path=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from numbers(item, f"{path}[{index}]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def test_the_nine_trial_reference_is_made_by_its_script(rscript, tmp_path):
    shutil.copy(HERE / "make_bond_2019.R", tmp_path)
    subprocess.run([rscript, "make_bond_2019.R"], cwd=tmp_path, check=True, capture_output=True)
    made = dict(numbers(json.loads((tmp_path / "bond_2019.json").read_text(encoding="utf-8"))["results"]))
    kept = dict(numbers(json.loads((HERE / "bond_2019.json").read_text(encoding="utf-8"))["results"]))
    assert made.keys() == kept.keys()
    assert len(kept) > 100
    for path, value in kept.items():
        # another version of metafor or of its linear algebra may differ in the last digits
        assert made[path] == pytest.approx(value, rel=1e-8, abs=1e-12), path
