"""Pages of the documentation that are made from registries and records, so that they cannot fall behind."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ipsevidence.core import (
    GLMM_MODELS,
    INTERVALS,
    MANTEL_HAENSZEL,
    MEASURES,
    PREDICTIONS,
    TAU2_ESTIMATORS,
    TAU2_INTERVALS,
    TAU_PRIORS,
    Method,
)
from ipsevidence.dataset import checks, reader
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.overview import wanted
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.dataset.tables import TABLES
from ipsevidence.dataset.vocabulary import VOCABULARIES
from ipsevidence.figures.numbers import Numerals

__all__ = ["DOCUMENTS", "METHOD_FAMILIES", "write_documents"]

_NOTE = "<!-- Generated: make documents. -->\n"


def write_documents(dataset: Dataset, folder: Path) -> tuple[Path, ...]:
    """Write every generated page into a folder, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, make in DOCUMENTS.items():
        files.append(folder / name)
        write_atomically(files[-1], make(dataset))
    return tuple(files)


def _markdown(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(headings)]
    lines.append(["---"] * len(lines[0]))
    lines.extend([_cell(cell) for cell in row] for row in rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    """Make text safe inside a Markdown table: no column breaks, no lines, no HTML, no links of a stranger."""
    for sign in ("\\", "|", "<", "[", "`", "*", "_"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _checks(_: Dataset) -> str:
    rows = [(f"{key}", "error", rule.rule, rule.why, rule.fix) for key, rule in reader.CHECKS.items()]
    rows += [(key, check.severity, check.rule, check.why, check.fix) for key, check in checks.CHECKS.items()]
    return (
        f"{_NOTE}\n# Checks\n\nWhat `ipsevidence validate` finds, by the id that it prints. A finding that is right"
        " about the paper can be accepted in the record (`accept:`) with a reason, unless it is about identity,"
        " references or form.\n\n" + _markdown(("check", "severity", "rule", "why", "fix"), rows)
    )


def _vocabulary(_: Dataset) -> str:
    parts = [f"{_NOTE}\n# Vocabulary\n\nThe closed lists of a record: what may be written, and what it means.\n"]
    for name, terms in VOCABULARIES.items():
        rows = ((term.key, term.label, term.definition) for term in terms.values())
        parts.append(f"\n## {name.capitalize()}\n\n" + _markdown(("written", "shown", "means"), rows))
    return "".join(parts)


def _dictionary(_: Dataset) -> str:
    parts = [f"{_NOTE}\n# Data dictionary\n\nThe tables that `ipsevidence export` writes, and every column of them.\n"]
    for table in TABLES.values():
        rows = ((field.name, field.type, field.description) for field in table.fields)
        parts.append(f"\n## {table.name}\n\n{table.title}.\n\n" + _markdown(("column", "type", "holds"), rows))
    return "".join(parts)


def _methods(_: Dataset) -> str:
    intro = (
        "What a spec or a call may name, where each method comes from, and what it adds to a methods section. Formulas"
        " and comparisons: [methods](methods/README.md)."
    )
    parts = [f"{_NOTE}\n# Methods by key\n\n{intro}\n"]
    for title, (parameter, registry) in METHOD_FAMILIES.items():
        rows = ((method.key, method.label, method.reference, method.sentence) for method in registry.values())
        parts.append(f"\n## {title}\n\n`{parameter}`\n\n" + _markdown(("key", "method", "reference", "sentence"), rows))
    return "".join(parts)


METHOD_FAMILIES: dict[str, tuple[str, Mapping[str, Method]]] = {
    "Effect measures": ("measure=", MEASURES),
    "Between-study variance": ("tau2=", TAU2_ESTIMATORS),
    "Intervals of the between-study variance": ("tau2_interval(method=)", TAU2_INTERVALS),
    "Confidence intervals": ("interval=", INTERVALS),
    "Prediction intervals": ("prediction=", PREDICTIONS),
    "Mantel-Haenszel": ("mantel_haenszel(measure=)", MANTEL_HAENSZEL),
    "Mixed models of the counts": ("glmm(model=)", GLMM_MODELS),
    "Priors of the between-study standard deviation": ("bayes(tau_prior=)", TAU_PRIORS),
}
"""Title, parameter and registry of every family of methods."""


def _wanted(dataset: Dataset) -> str:
    write = Numerals()
    rows = (
        (n.study, "" if n.participants is None else write.count(n.participants), n.what, n.where, n.unlocks)
        for n in wanted(dataset)
    )
    return (
        f"{_NOTE}\n# Wanted numbers\n\nNumbers that nobody could read yet, or that rest on something unread; those of"
        " the largest studies first. Have the paper in hand? A pull request with the number and its place is a quarter"
        " of an hour.\n\n"
        + _markdown(("study", "participants", "what is missing", "where it should be printed", "what it unlocks"), rows)
    )


DOCUMENTS: dict[str, Callable[[Dataset], str]] = {
    "checks.md": _checks,
    "data-dictionary.md": _dictionary,
    "methods-by-key.md": _methods,
    "vocabulary.md": _vocabulary,
    "wanted.md": _wanted,
}
"""The generated pages by file name."""
