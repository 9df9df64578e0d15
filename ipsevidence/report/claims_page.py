"""The page of claims: every claim with its verdict, numbers and rule, as the committed result has them."""

from collections.abc import Iterator, Mapping
from typing import Any

from ipsevidence.analysis.claimfiles import VERDICTS
from ipsevidence.figures.numbers import EN_DASH
from ipsevidence.report.markdown import FROM_RESULTS, cell, markdown_table

__all__ = ["claims_text"]


def claims_text(document: Mapping[str, Any]) -> str:
    """Write the page of claims.

    Parameters
    ----------
    document : mapping
        The committed result of all claims; see `ipsevidence.analysis.across.claims_document`.

    Returns
    -------
    str
        Markdown: the claims by verdict, what was known when their rules were written, and their notes.
    """
    claims = list(document["claims"].values())
    intro = (
        f"{FROM_RESULTS}\n# Claims\n\n"
        "What is said of Individual Placement and Support, held against the data by a rule"
        " that was written before the claim was judged. A verdict is on the studies that give usable numbers; how many"
        " of the eligible ones these are is part of it, and those that are absent may change it. *Not testable* is no"
        " verdict against a claim.\n\n"
    )
    parts = [
        intro,
        markdown_table(("Verdict", "Claims", "It means that"), _counts(claims)),
    ]
    for verdict in VERDICTS:
        found = [claim for claim in claims if claim["verdict"] == verdict]
        if found:
            parts.append(f"\n## {_words(verdict).capitalize()}\n\n")
            parts.append(markdown_table(("Claim", "Result", "Rule", "Stated by"), map(_row, found)))
    parts.append("\n## What was known when the rules were written\n\n")
    parts.append(markdown_table(("Written", "Known then of the result", "Claims"), _known(claims)))
    notes = [f"- **{cell(claim['title'])}.** {cell(claim['notes'])}\n" for claim in claims if claim["notes"]]
    if notes:
        parts.append("\n## Notes\n\n" + "".join(notes))
    return "".join(parts)


def _words(verdict: str) -> str:
    return verdict.replace("-", " ")


def _counts(claims: list[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for verdict, meaning in VERDICTS.items():
        yield _words(verdict), f"{sum(claim['verdict'] == verdict for claim in claims)}", meaning


def _row(claim: Mapping[str, Any]) -> tuple[str, ...]:
    return f"{claim['title']}. {claim['claim']}", claim["reason"], claim["decision"], "; ".join(claim["stated_by"])


def _known(claims: list[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    together: dict[tuple[str, str], list[str]] = {}
    for claim in claims:
        together.setdefault((claim["committed_on"], claim["known_before"] or EN_DASH), []).append(claim["id"])
    for (day, known), names in together.items():
        yield day, known, ", ".join(names)
