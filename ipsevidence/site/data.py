"""The dataset to take away: files, dictionary, version, digest, how to cite."""

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ipsevidence import __version__
from ipsevidence.dataset.export import FORMATS, export
from ipsevidence.dataset.tables import TABLES
from ipsevidence.site.schema_org import REPOSITORY, dataset_description
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.site.material import Material

__all__ = ["files"]

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can hold: files of the same content are the same bytes whenever they are made."""


def files(material: "Material") -> dict[str, bytes]:
    """Make the page and every table in every format, the CSV files also as one archive."""
    with tempfile.TemporaryDirectory() as folder:
        written = export(material.dataset, Path(folder), tuple(FORMATS))
        tables = {f"data/{path.name}": path.read_bytes() for path in written}
    packed = {path: content for path, content in tables.items() if path.endswith((".csv", "datapackage.json"))}
    tables["data/ipsevidence-csv.zip"] = _archive(packed)
    whole = ("data/ipsevidence-csv.zip", "data/ipsevidence.json", "data/ipsevidence.sqlite")
    text = page(
        "data.html.j2",
        path="data.html",
        title="Data",
        description="The whole dataset as CSV, JSON, SQLite and Parquet, with dictionary, version and how to cite it.",
        here="data",
        dataset=material.dataset,
        digest=material.dataset.digest(),
        package=__version__,
        repository=REPOSITORY,
        tables=TABLES.values(),
        sizes={path: _size(len(content)) for path, content in tables.items()},
        has_changes=(material.dataset.root / "CHANGELOG.md").is_file(),
        about=dataset_description(material, whole),
    )
    return tables | {"data.html": text.encode()}


def _archive(files: "dict[str, bytes]") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            info = zipfile.ZipInfo(path.partition("/")[2], _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
