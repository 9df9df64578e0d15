"""The tidy tables: every column described, nothing lost, and files that other programs read."""

import csv
import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from ipsevidence.dataset.collection import load
from ipsevidence.dataset.export import FORMATS, export, safe_cell
from ipsevidence.dataset.tables import TABLES, frames

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped():
    return load(ROOT)


@pytest.fixture(scope="module")
def exported(shipped, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    export(shipped, folder)
    return folder


def test_rows_are_those_of_the_records(shipped):
    tables = frames(shipped)
    assert list(tables) == list(TABLES)
    assert len(tables["studies"]) == len(shipped)
    assert len(tables["arms"]) == sum(len(study.arms) for study in shipped)
    assert len(tables["readings"]) == sum(len(o.readings) for study in shipped for o in study.outcomes)
    assert len(tables["facts"]) == sum(len(study.facts) for study in shipped)
    davis = tables["readings"].query("study == 'davis-2012' and arm == 'ips'").iloc[0]
    assert (davis["events"], davis["n"], davis["basis"], davis["as_printed"]) == (32, 42, "derived", "76%")


def test_every_column_is_described_once():
    for table in TABLES.values():
        names = [field.name for field in table.fields]
        assert len(names) == len(set(names))
        assert all(field.description[0].isupper() for field in table.fields)


def test_every_format_holds_the_same_readings(shipped, exported):
    wanted = frames(shipped)["readings"]
    with (exported / "readings.csv").open(encoding="utf-8") as stream:
        text = list(csv.DictReader(stream))
    document = json.loads((exported / "ipsevidence.json").read_text(encoding="utf-8"))["readings"]
    parquet = pd.read_parquet(exported / "readings.parquet")
    with sqlite3.connect(exported / "ipsevidence.sqlite") as connection:
        database = connection.execute('SELECT study, events, n FROM "readings"').fetchall()
    connection.close()
    events = [None if pd.isna(value) else float(value) for value in wanted["events"]]
    assert [float(row["events"]) if row["events"] else None for row in text] == events
    assert [row["events"] for row in document] == events
    assert [None if pd.isna(value) else float(value) for value in parquet["events"]] == events
    assert [row[1] for row in database] == events
    assert [row[0] for row in database] == list(wanted["study"])


def test_the_data_dictionary_names_every_file_and_column(shipped, exported):
    package = json.loads((exported / "datapackage.json").read_text(encoding="utf-8"))
    assert package["version"] == shipped.version
    assert package["id"] == shipped.digest()
    for resource in package["resources"]:
        with (exported / resource["path"]).open(encoding="utf-8") as stream:
            heading = next(csv.reader(stream))
        assert heading == [field["name"] for field in resource["schema"]["fields"]]


def test_twice_the_same_text(shipped, exported, tmp_path):
    export(shipped, tmp_path, ("csv", "json"))
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (exported / file.name).read_bytes(), file.name


def test_only_the_formats_asked_for(toy, tmp_path):
    files = {path.name for path in export(toy, tmp_path, ("json",))}
    assert files == {"ipsevidence.json", "datapackage.json"} == {path.name for path in tmp_path.iterdir()}
    assert set(FORMATS) == {"csv", "json", "parquet", "sqlite"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(text):
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(f"x{text}") == f"x{text}"
    assert safe_cell(-1.5) == -1.5
