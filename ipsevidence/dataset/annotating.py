"""Findings as other programs take them: annotations of GitHub, and SARIF.

Findings quote files of strangers. A line that a workflow prints can be a command to GitHub's runner: one that starts
with ``::``, and one with ``##[`` anywhere. An annotation is such a command itself, so the runner takes nothing inside
it for another, as long as what it quotes can end neither the line nor the properties.
"""

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from ipsevidence.dataset.explaining import check_ids, explained
from ipsevidence.dataset.findings import Finding, visible

__all__ = ["SARIF_SCHEMA", "github_annotations", "sarif_log"]

SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
"""Where the schema of SARIF 2.1.0 is published."""

_COMMANDS: Final = {"error": "error", "advice": "notice"}
_LEVELS: Final = {"error": "error", "advice": "note"}


def github_annotations(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Write findings as workflow commands, which GitHub shows beside the line of the file.

    Parameters
    ----------
    findings : iterable of Finding
        What was found; the file as named from the root of the repository.

    Returns
    -------
    tuple of str
        One line each: ``::error file=studies/a.yaml,line=3,col=5,title=tab::a tab; fix: ...``; advice is a notice.
    """
    return tuple(
        f"::{_COMMANDS[finding.severity]} file={_property(finding.file)},line={finding.line},col={finding.column},"
        f"title={_property(finding.check)}::{_data(f'{finding.what}; fix: {finding.fix}')}"
        for finding in findings
    )


def _data(text: str) -> str:
    # The runner undoes these three in a message; `visible` leaves no line end of any other kind.
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif_log(findings: Sequence[Finding], version: str) -> dict[str, Any]:
    """Write findings as a log in the Static Analysis Results Interchange Format (SARIF) 2.1.0.

    Parameters
    ----------
    findings : sequence of Finding
        What was found.
    version : str
        The version of this package.

    Returns
    -------
    dict
        Ready for JSON. Columns count characters; files are named relative to where the command ran.

    References
    ----------
    .. [1] OASIS. Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01. 2023.
    """
    known = set(check_ids())
    ids = sorted({finding.check for finding in findings})
    places = {check_id: place for place, check_id in enumerate(ids)}
    driver = {
        "name": "ipsevidence",
        "semanticVersion": version,
        "rules": [_rule(check_id) if check_id in known else {"id": check_id} for check_id in ids],
    }
    results = [_result(finding, places[finding.check]) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check_id: str) -> dict[str, Any]:
    meaning = explained(check_id)
    return {
        "id": check_id,
        "shortDescription": {"text": _message(meaning.rule)},
        "fullDescription": {"text": _message(f"{meaning.rule} {meaning.why}")},
        "help": {"text": _message(meaning.fix)},
        "defaultConfiguration": {"level": _LEVELS[meaning.severity]},
    }


def _result(finding: Finding, place: int) -> dict[str, Any]:
    region = {"startLine": finding.line, "startColumn": finding.column}
    location = {"artifactLocation": {"uri": _uri(finding.file)}, "region": region}
    return {
        "ruleId": finding.check,
        "ruleIndex": place,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(f"{finding.what}; fix: {finding.fix}")},
        "locations": [{"physicalLocation": location}],
    }


def _message(text: str) -> str:
    # `[words](target)` is a link in a message of SARIF; what a file says must not become one.
    return visible(text).replace("](", "] (")


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
