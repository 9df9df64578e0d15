"""Files that ship with the data: each is known by its id, which is the name of the file, and may be given by a path."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ipsevidence.dataset.reader import fetch, read

__all__ = ["nearest", "read_by_name", "yaml_files"]

ModelT = TypeVar("ModelT", bound=BaseModel)


def yaml_files(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by id; those that start with _ are templates."""
    return {file.stem: file for file in sorted(folder.glob("*.yaml")) if not file.name.startswith("_")}


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; nearest: ...`` where a name is close to one that is known, else nothing."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"; nearest: {near[0]}" if near else ""


def read_by_name(
    name: str | Path,
    shipped: Mapping[str, Path],
    model: type[ModelT],
    *,
    what: str,
    folder: str,
    missing: type[FileNotFoundError],
) -> ModelT:
    """Read a file by its id, or by its path; an id goes before a file of the same name.

    Parameters
    ----------
    name : str or Path
        A key of `shipped`, or the path of a YAML file.
    shipped : mapping of str to Path
        The files that ship with the data.
    model : type
        What the file must hold.
    what, folder : str
        What it is called in a message, and where those that ship stand, as in ``analysis`` and ``analyses/``.
    missing : type of FileNotFoundError
        What is raised where there is none.

    Returns
    -------
    model

    Raises
    ------
    FileNotFoundError
        Of the type `missing`: neither an id nor a file; the message names the nearest id.
    ReadError
        If the file cannot be read as what it must be; a file that ships is named from the folder of the data.
    """
    if isinstance(name, str) and name in shipped:
        path, shown = shipped[name], f"{folder}{name}.yaml"
    else:
        path, shown = Path(name), str(name)
    if not path.is_file():
        hint = nearest(str(name), shipped)
        raise missing(f"no {what} {str(name)!r}: neither an id in {folder} nor a file{hint}")
    return read(fetch(path), model, file=shown)[0]
