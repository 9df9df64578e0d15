"""Figures: one function each, an analysis in, a matplotlib figure out. They decide nothing.

Importing this package loads no matplotlib; drawing does.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ipsevidence.figures.kinds import FIGURES, Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = ["FIGURES", "Kind", "alternative_text", "figure", "options_of", "save"]


def figure(kind: str, run: "AnalysisRun | None" = None, dataset: "Dataset | None" = None, **options: Any) -> "Figure":
    """Draw a figure.

    Parameters
    ----------
    kind : str
        Key of `FIGURES`.
    run : AnalysisRun, optional
        The analysis that is drawn; some kinds show the records alone.
    dataset : Dataset, optional
        The records; by default, for kinds that need them, those that `load` finds.
    **options
        What the kind takes (`Kind.options`); all take ``style``, and those that fit many times (`Kind.repeats`) also
        ``mapper`` and ``progress``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is no such kind, option or style, or there is nothing to draw; the message has the reason.
    """
    from ipsevidence.core import InputError, choose  # loads numpy, which writing a number has no need of

    chosen: Kind = choose("kind", kind, cast("Mapping[str, Any]", FIGURES))
    if "run" in chosen.needs and run is None:
        raise InputError(f"{kind} needs an analysis", parameter="run")
    if run is not None and run.data is None and "dataset" in chosen.needs and "run" in chosen.needs:
        raise InputError(
            f"{kind} needs an analysis of the dataset; a table of one's own has no records", parameter="run"
        )
    taken = ("style", *chosen.options, *(("mapper", "progress") if chosen.repeats else ()))
    for name in options:
        if name not in taken:
            known = ", ".join(taken)
            raise InputError(f"{kind} has no option {name!r}; it has: {known}", parameter=name)
    if "dataset" in chosen.needs and dataset is None:
        from ipsevidence.dataset.collection import load

        dataset = load()
    return chosen.function(run, dataset, **options)


def options_of(kind: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the options of a kind, read from text.

    Parameters
    ----------
    kind : str
        Key of `FIGURES`.
    given : mapping of str to str
        Options as they were typed.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If there is no such kind or option, or a text cannot be read as its value.
    """
    from ipsevidence.core import InputError, choose

    chosen: Kind = choose("kind", kind, cast("Mapping[str, Any]", FIGURES))
    found = {}
    for name, text in given.items():
        key = name.replace("-", "_")
        if key not in chosen.options:
            known = ", ".join(chosen.options) or "none but style"
            raise InputError(f"{kind} has no option {name!r}; it has: {known}", parameter=name)
        try:
            found[key] = chosen.options[key](text)
        except ValueError as error:
            reason = str(error) if "convert" not in str(error) and "literal" not in str(error) else "a number"
            raise InputError(f"{name} must be {reason}; got {text!r}", parameter=name) from None
    return found


def alternative_text(figure: "Figure") -> str:
    """Return what a figure shows in words and numbers, as it is stored with its files."""
    return str(getattr(figure, "alternative", ""))


def save(figure: "Figure", path: str | os.PathLike[str], *, words: bool = False) -> Path:
    """Write a figure to a PNG (300 dpi), SVG, PDF or EPS file; see `ipsevidence.figures.saving.save`."""
    from ipsevidence.figures import saving

    return saving.save(figure, path, words=words)
