"""JSON Schemas of the files that people write, for editors that check and complete while typing."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ipsevidence.analysis.claimfiles import Claim
from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.review import PublishedReview
from ipsevidence.dataset.storage import write_atomically

__all__ = ["SCHEMAS", "schema_text", "write_schemas"]

SCHEMAS: dict[str, type[BaseModel]] = {
    "analysis": Spec,
    "claim": Claim,
    "published": PublishedReview,
    "study": Study,
}
"""Kinds of files by the name of their schema: schema/<name>.schema.json."""


def schema_text(name: str) -> str:
    """Return the JSON Schema of a kind of file, as it is committed."""
    schema: dict[str, Any] = SCHEMAS[name].model_json_schema(by_alias=True)
    full = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(full, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write all schemas into a folder, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = tuple(folder / f"{name}.schema.json" for name in SCHEMAS)
    for name, file in zip(SCHEMAS, files, strict=True):
        write_atomically(file, schema_text(name))
    return files
