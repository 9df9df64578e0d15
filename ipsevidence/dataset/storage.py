"""Files that are either old or new, never half-written."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["write_atomically", "write_new"]


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
    with _part(target, content) as part:
        with contextlib.suppress(FileNotFoundError):
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    _sync_folder(target.parent)


def write_new(path: Path, content: str | bytes) -> None:
    """Write a file that is not there yet, whole or not at all; one that is there is never touched.

    Of two programs that write the same file at once, one does and the other gets the error.

    Parameters
    ----------
    path : Path
        The file. Its folder must exist.
    content : str or bytes
        What it will hold; text is written as UTF-8 with the line ends it has.

    Raises
    ------
    FileExistsError
        If anything of that name is there, a symbolic link too; it names the file.
    OSError
        Where the folder cannot be written to.
    """
    target = path.absolute()
    with _part(target, content) as part:
        try:
            # Refuses where the name is taken, at the very moment of taking it.
            os.link(part, target)
        except OSError as error:
            # Some file systems have no such links: there the look and the taking are two steps.
            if isinstance(error, FileExistsError) or os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            part.replace(target)
    _sync_folder(target.parent)


@contextlib.contextmanager
def _part(target: Path, content: str | bytes) -> Iterator[Path]:
    """Give a file beside the target that holds the content and is on the disk; nothing of it stays."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    # Opened by hand and not by tempfile, so that a new file gets the mode that the user's umask gives.
    part = target.with_name(f".{target.name[:60]}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _sync_folder(folder: Path) -> None:
    # Makes the renaming itself durable; Windows cannot open a folder, and some file systems refuse.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
