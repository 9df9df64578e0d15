"""Pages of the documentation that are made from registries, records and results, so that they cannot fall behind."""

from collections.abc import Callable, Mapping
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
from ipsevidence.dataset.explaining import FURTHER
from ipsevidence.dataset.overview import wanted
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.dataset.tables import TABLES
from ipsevidence.dataset.vocabulary import VOCABULARIES
from ipsevidence.figures.numbers import Numerals
from ipsevidence.report.markdown import FROM_RECORDS, markdown_table
from ipsevidence.report.result_pages import RESULT_PAGES, results_of

__all__ = ["DOCUMENTS", "METHOD_FAMILIES", "write_documents"]


def write_documents(dataset: Dataset, folder: Path) -> tuple[Path, ...]:
    """Write every generated page into a folder, and return the files; pages of results where there are results."""
    pages = {name: make(dataset) for name, make in DOCUMENTS.items()}
    results = results_of(dataset.root)
    if results:
        pages |= {name: make(results, dataset) for name, make in RESULT_PAGES.items()}
    for name, text in pages.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)
    return tuple(folder / name for name in pages)


def _checks(_: Dataset) -> str:
    rows = [(f"{key}", "error", rule.rule, rule.why, rule.fix) for key, rule in reader.CHECKS.items()]
    rows += [(key, check.severity, check.rule, check.why, check.fix) for key, check in checks.CHECKS.items()]
    rows += [(one.id, one.severity, one.rule, one.why, one.fix) for one in FURTHER]
    return (
        f"{FROM_RECORDS}\n# Checks\n\n"
        "What `ipsevidence validate` finds, by the id that it prints. A finding that is right"
        " about the paper can be accepted in the record (`accept:`) with a reason, unless it is about identity,"
        " references or form.\n\n" + markdown_table(("check", "severity", "rule", "why", "fix"), rows)
    )


def _vocabulary(_: Dataset) -> str:
    what = "The closed lists of a record and of a judgement in a spec: what may be written, and what it means."
    parts = [f"{FROM_RECORDS}\n# Vocabulary\n\n{what}\n"]
    for name, terms in VOCABULARIES.items():
        rows = ((term.key, term.label, term.definition) for term in terms.values())
        parts.append(f"\n## {name.capitalize()}\n\n" + markdown_table(("written", "shown", "means"), rows))
    return "".join(parts)


def _dictionary(_: Dataset) -> str:
    parts = [
        f"{FROM_RECORDS}\n# Data dictionary\n\nThe tables that `ipsevidence export` writes, and every column of them.\n"
    ]
    for table in TABLES.values():
        rows = ((field.name, field.type, field.description) for field in table.fields)
        parts.append(f"\n## {table.name}\n\n{table.title}.\n\n" + markdown_table(("column", "type", "holds"), rows))
    return "".join(parts)


def _methods(_: Dataset) -> str:
    intro = (
        "What a spec or a call may name, where each method comes from, and what it adds to a methods section. Formulas"
        " and comparisons: [methods](methods/README.md)."
    )
    parts = [f"{FROM_RECORDS}\n# Methods by key\n\n{intro}\n"]
    for title, (parameter, registry) in METHOD_FAMILIES.items():
        rows = ((method.key, method.label, method.reference, method.sentence) for method in registry.values())
        parts.append(
            f"\n## {title}\n\n`{parameter}`\n\n" + markdown_table(("key", "method", "reference", "sentence"), rows)
        )
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
        f"{FROM_RECORDS}\n# Wanted numbers\n\n"
        "Numbers that nobody could read yet, or that rest on something unread; those of"
        " the largest studies first. Have the paper in hand? A pull request with the number and its place is a quarter"
        " of an hour.\n\n"
        + markdown_table(
            ("study", "participants", "what is missing", "where it should be printed", "what it unlocks"), rows
        )
        + _not_entered(dataset)
    )


def _not_entered(dataset: Dataset) -> str:
    if not dataset.not_entered:
        return ""
    rows = ((one.citation, one.registration or "", one.url, one.why, one.effect) for one in dataset.not_entered)
    table = markdown_table(("study", "registration", "address", "why it waits", "what it would change"), rows)
    return (
        "\n## Known, and not entered yet\n\n"
        "Studies that belong and were found after this version of the data was closed."
        f" Their records come with the next one.\n\n{table}"
    )


DOCUMENTS: dict[str, Callable[[Dataset], str]] = {
    "checks.md": _checks,
    "data-dictionary.md": _dictionary,
    "methods-by-key.md": _methods,
    "vocabulary.md": _vocabulary,
    "wanted.md": _wanted,
}
"""The generated pages by file name."""
