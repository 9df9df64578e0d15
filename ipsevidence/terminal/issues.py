"""What `from-issue` does: a form becomes a record file, or the findings say why not."""

import sys
from pathlib import Path

from ipsevidence.terminal.output import envelope, plural, say

__all__ = ["record_from_issue"]


def record_from_issue(file: Path, data: Path | None, *, check: bool, as_json: bool, quiet: bool) -> bool:
    """Turn the saved body of an issue into studies/<id>.yaml, which must not be there yet; return whether it is clean.

    Parameters
    ----------
    file : Path
        The body of the issue; `-` for standard input.
    data : Path or None
        Folder of the dataset.
    check : bool
        Write nothing.
    as_json, quiet : bool
        How it is printed.

    Returns
    -------
    bool
        False where there is an error among the findings.

    Raises
    ------
    FileExistsError
        If there is a record of that id.
    """
    from ipsevidence.dataset.collection import find_data
    from ipsevidence.dataset.issue_forms import record_of_form
    from ipsevidence.dataset.reader import SIZE, fetch
    from ipsevidence.dataset.storage import write_new

    body = sys.stdin.buffer.read(SIZE + 1) if str(file) == "-" else fetch(file)
    found = record_of_form(body, file=str(file))
    path = None
    if found.text is not None and not check:
        path = find_data(data)[0] / "studies" / f"{found.id}.yaml"
        write_new(path, found.text)
    clean = not any(finding.severity == "error" for finding in found.findings)
    if as_json:
        told = {"id": found.id, "file": None if path is None else str(path), "record": found.text}
        envelope("from-issue", {**told, "findings": [finding.to_dict() for finding in found.findings]})
        return clean
    for finding in found.findings:
        say(str(finding))
    if path is not None:
        say(str(path) if quiet else f"written: {path}")
    elif found.text is not None:
        say(found.text.removesuffix("\n"))
    elif not quiet:
        say(f"{plural(len(found.findings), 'finding')}; no record was written")
    return clean
