"""The committed schemas are those of the models."""

import json
from pathlib import Path

import pytest

from ipsevidence.analysis.schemas import SCHEMAS, schema_text, write_schemas

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_committed_schema_is_in_step(name):
    committed = (ROOT / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(name), "run: make schemas"


def test_schema_names_the_closed_lists():
    study = json.loads(schema_text("study"))
    assert study["$defs"]["Arm"]["properties"]["treatment"]["enum"][0] == "ips"
    assert study["additionalProperties"] is False
    assert "from" in study["$defs"]["Reading"]["required"]
    assert study["$defs"]["Measured"]["properties"]["to"]["anyOf"][0]["type"] == "number"


def test_written_where_asked(tmp_path):
    assert [file.name for file in write_schemas(tmp_path)] == [f"{name}.schema.json" for name in SCHEMAS]
