"""Write the dataset as files for other programs, with a data dictionary; each file whole or not at all."""

import contextlib
import csv
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.dataset.tables import TABLES, frames

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "export"]

# Some programs pass over spaces before a formula, and take the wide signs of East Asian keyboards for the plain ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def export(dataset: Dataset, folder: Path, formats: tuple[str, ...] | None = None) -> tuple[Path, ...]:
    """Write every table of the dataset into a folder.

    Parameters
    ----------
    dataset : Dataset
        The records.
    folder : Path
        Where the files go; made if it is not there.
    formats : tuple of str, optional
        Keys of `FORMATS`; all of them by default. The data dictionary, datapackage.json, is always written.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    KeyError
        If a format is not one of `FORMATS`.
    """
    writers = [FORMATS[name] for name in formats or tuple(FORMATS)]
    folder.mkdir(parents=True, exist_ok=True)
    tables = frames(dataset)
    written = [path for write in writers for path in write(tables, folder)]
    dictionary = folder / "datapackage.json"
    write_atomically(dictionary, json.dumps(_datapackage(dataset), indent=2, ensure_ascii=False) + "\n")
    return (*written, dictionary)


def safe_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet will run: text that begins like a formula is led by an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS) else value


def _csv(tables: "dict[str, pd.DataFrame]", folder: Path) -> list[Path]:
    paths = []
    for name, frame in tables.items():
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(frame.columns)
        for row in _plain_rows(frame):
            writer.writerow(["" if cell is None else safe_cell(cell) for cell in row])
        paths.append(folder / f"{name}.csv")
        write_atomically(paths[-1], buffer.getvalue())
    return paths


def _json(tables: "dict[str, pd.DataFrame]", folder: Path) -> list[Path]:
    document = {
        name: [dict(zip(frame.columns, row, strict=True)) for row in _plain_rows(frame)]
        for name, frame in tables.items()
    }
    path = folder / "ipsevidence.json"
    write_atomically(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return [path]


def _parquet(tables: "dict[str, pd.DataFrame]", folder: Path) -> list[Path]:
    paths = []
    for name, frame in tables.items():
        buffer = io.BytesIO()
        frame.to_parquet(buffer, engine="pyarrow", index=False)
        paths.append(folder / f"{name}.parquet")
        write_atomically(paths[-1], buffer.getvalue())
    return paths


def _sqlite(tables: "dict[str, pd.DataFrame]", folder: Path) -> list[Path]:
    kinds = {"string": "TEXT", "number": "REAL", "integer": "INTEGER", "boolean": "INTEGER"}
    # In memory, so that a run that is interrupted leaves no half-written database behind.
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for table in TABLES.values():
            columns = ", ".join(f'"{field.name}" {kinds[field.type]}' for field in table.fields)
            marks = ", ".join("?" * len(table.fields))
            connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
            # Names come from TABLES, never from a record; values are bound.
            connection.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', _plain_rows(tables[table.name]))  # noqa: S608
        connection.commit()
        path = folder / "ipsevidence.sqlite"
        write_atomically(path, connection.serialize())
    return [path]


def _plain_rows(frame: "pd.DataFrame") -> list[tuple[Any, ...]]:
    """Return rows of plain Python values; what is missing is None, and whole numbers are written without a point."""
    import pandas as pd

    def plain(value: Any) -> Any:
        if pd.isna(value):
            return None
        value = value.item() if hasattr(value, "item") else value
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return [tuple(plain(value) for value in row) for row in frame.itertuples(index=False, name=None)]


def _datapackage(dataset: Dataset) -> dict[str, Any]:
    """Return the data dictionary, by the Frictionless Data Package."""
    return {
        "name": "ipsevidence",
        "title": dataset.title,
        "version": dataset.version,
        "id": dataset.digest(),
        "licenses": [{"name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/"}],
        "resources": [
            {
                "name": table.name,
                "path": f"{table.name}.csv",
                "title": table.title,
                "format": "csv",
                "encoding": "utf-8",
                "schema": {
                    "fields": [
                        {"name": field.name, "type": field.type, "description": field.description}
                        for field in table.fields
                    ],
                    "missingValues": [""],
                },
            }
            for table in TABLES.values()
        ],
    }


FORMATS: "dict[str, Callable[[dict[str, pd.DataFrame], Path], list[Path]]]" = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
    "sqlite": _sqlite,
}
"""What `export` writes, by the word that a user gives."""
