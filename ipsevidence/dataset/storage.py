"""Files that are either old or new, never half-written."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that whoever reads it, at whatever moment, sees the old content or the new.

    The content goes to a temporary file in the same folder, to the disk, and then takes the place of the old file. If
    anything fails the old file stays as it was.

    Parameters
    ----------
    path : Path
        The file. Its folder must exist; a symbolic link is followed; an existing file keeps its mode.
    content : str or bytes
        What it will hold; text is written as UTF-8 with the line ends it has.

    Raises
    ------
    OSError
        Where the folder cannot be written to.
    """
    target = Path(os.path.realpath(path))
    data = content.encode("utf-8") if isinstance(content, str) else content
    # Opened by hand and not by tempfile, so that a new file gets the mode that the user's umask gives.
    part = target.with_name(f".{target.name[:100]}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileNotFoundError):
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # Makes the renaming itself durable; Windows cannot open a folder, and some file systems refuse.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
