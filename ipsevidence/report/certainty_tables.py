"""The certainty of the evidence as people judged it, and what was computed that bears on it, side by side."""

from collections.abc import Iterable, Iterator
from typing import Final

from ipsevidence.analysis.certainty import DOMAINS, RAISES, Certainty
from ipsevidence.dataset.vocabulary import CERTAINTY, CONCERN, RATED_UP, SUSPICION
from ipsevidence.figures.numbers import EN_DASH
from ipsevidence.report.table import Table, make

__all__ = ["certainty", "rating", "rating_notes"]

_WORDS: Final = {key: term.label for key, term in (*CONCERN.items(), *SUSPICION.items())}
_BY: Final = {1: "one level", 2: "two levels", 3: "three levels"}
_COMPUTED: Final = {"missing evidence": "publication_bias"}
"""Domains that are computed under another name than GRADE's."""


def rating(judged: Certainty | None) -> str:
    """Write a rating with the letters of its footnotes: ``low (a, b)``; `not assessed` where nobody judged."""
    if judged is None:
        return "not assessed"
    letters = ", ".join(letter for letter, _ in _footnotes(judged))
    return f"{CERTAINTY[judged.rating].label}{f' ({letters})' if letters else ''}"


def rating_notes(judged: Certainty | None) -> list[str]:
    """Say of a rating who gave it, and why for each step down or up; or that there is none."""
    if judged is None:
        return ["Certainty is judged by people, and nobody has entered a judgement."]
    kind = "from randomised trials" if judged.start == "high" else "not from randomised trials alone"
    who = f"Certainty was judged by {' and '.join(judged.by)} on {judged.date} (GRADE)"
    notes = [f"{who}; evidence {kind} starts at {judged.start}. {CERTAINTY[judged.rating].definition}"]
    notes += [f"({letter}) {text}" for letter, text in _footnotes(judged)]
    return [*notes, judged.because] if judged.because else notes


def _footnotes(judged: Certainty) -> Iterator[tuple[str, str]]:
    """Give each step down, then each step up, with its letter."""
    steps = [
        f"{DOMAINS[key].capitalize()}: {_WORDS[one.judgement]}, lowered by {_BY[one.levels]}: {one.because}"
        for key, one in judged.domains.judged.items()
        if one.levels
    ]
    steps += [
        f"{RATED_UP[one.reason].label.capitalize()}: raised by {_BY[RAISES[one.reason]]}: {one.because}"
        for one in judged.raised
    ]
    return zip("abcdefgh", steps, strict=False)


def certainty(found: Iterable[tuple[str, str]], judged: Certainty | None = None) -> Table:
    """What bears on certainty, by GRADE's domains, as computed; with what people judged, where they did.

    Parameters
    ----------
    found : iterable of (str, str)
        Domain and what was computed.
    judged : Certainty, optional
        The judgements of the spec.

    Returns
    -------
    Table
    """
    computed = {domain: text.replace("I2 ", "I\u00b2 ").replace("tau2 ", "\u03c4\u00b2 ") for domain, text in found}
    if judged is None:
        rows = [(domain[:1].upper() + domain[1:], text) for domain, text in computed.items()]
        return make("What bears on certainty", "Domain|What was found", rows)
    texts = {_COMPUTED.get(domain, domain.replace(" ", "_")): text for domain, text in computed.items()}
    judgements = judged.domains.judged
    full = [
        (DOMAINS[key].capitalize(), texts.get(key, EN_DASH), _WORDS[one.judgement], one.because or "")
        for key, one in judgements.items()
    ]
    full += [
        (RATED_UP[one.reason].label.capitalize(), EN_DASH, f"raised by {_BY[RAISES[one.reason]]}", one.because)
        for one in judged.raised
    ]
    return make("Certainty by domain", "Domain|What was found|Judgement|Why", full)
