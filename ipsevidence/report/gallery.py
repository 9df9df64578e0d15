"""All figures of one analysis into one folder, with a page that shows them and says why some refuse."""

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ipsevidence.analysis.workers import SharedDataset
from ipsevidence.core import InputError
from ipsevidence.core.repeating import Mapper, Progress, gather
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.figures import FIGURES, alternative_text, figure, save
from ipsevidence.report.markdown import cell

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = ["Drawn", "draw_all", "page"]

FORMATS: Final = ("svg", "png", "pdf")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One kind of figure: the file it is in, or why it was not drawn.

    Attributes
    ----------
    kind, label, shows : str
        As in `FIGURES`.
    file : str
        Name of the SVG in the folder; empty where there is none.
    words : str
        The figure in words and numbers.
    reason : str
        Why there is none; empty where there is one.
    """

    kind: str
    label: str
    shows: str
    file: str = ""
    words: str = ""
    reason: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the entry as plain data."""
        return dataclasses.asdict(self)


def draw_all(
    run: "AnalysisRun | None",
    dataset: "Dataset | None",
    folder: Path,
    *,
    style: str = "default",
    formats: tuple[str, ...] = FORMATS,
    mapper: Mapper = map,
    progress: Progress | None = None,
) -> tuple[Drawn, ...]:
    """Draw every kind of figure that can be drawn.

    Parameters
    ----------
    run : AnalysisRun or None
        The analysis.
    dataset : Dataset or None
        Its records; None for a user's own table, of which figures of the records are left out.
    folder : Path
        Where the files go, with a README.md that shows them.
    style : str
        Key of `style.STYLES`.
    formats : tuple of str
        Suffixes of the files.
    mapper : callable
        As `map`; one that spreads its work over processes of this machine draws the same sooner.
    progress : callable, optional
        Told after each kind how many are done, of how many.

    Returns
    -------
    tuple of Drawn
        In the order of `FIGURES`.
    """
    shared = None if dataset is None else SharedDataset(dataset)
    work = functools.partial(_one, run, shared, folder, style, formats)
    parts = gather(work, FIGURES, total=len(FIGURES), chunk=1, mapper=mapper, progress=progress)
    if len(parts) < len(FIGURES):
        raise KeyboardInterrupt
    done = tuple(parts)
    title = run.spec.title if run is not None else "the records"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "README.md", page(f"Figures: {title}", done))
    return done


def _one(
    run: "AnalysisRun | None",
    shared: SharedDataset | None,
    folder: Path,
    style: str,
    formats: tuple[str, ...],
    key: str,
) -> Drawn:
    kind, dataset = FIGURES[key], None if shared is None else shared.get()
    about: dict[str, Any] = {"kind": kind.key, "label": kind.label, "shows": kind.shows}
    if dataset is None and "dataset" in kind.needs:
        return Drawn(**about, reason="it shows records, and a table of one's own has none")
    try:
        made = figure(kind.key, run, dataset, style=style)
    except InputError as error:
        return Drawn(**about, reason=str(error))
    for form in formats:
        save(made, folder / f"{kind.key}.{form}")
    return Drawn(**about, file=f"{kind.key}.{formats[0]}", words=alternative_text(made))


def page(title: str, figures: tuple[Drawn, ...]) -> str:
    """Return the page of a gallery, in Markdown.

    Parameters
    ----------
    title : str
        Its heading.
    figures : tuple of Drawn
        What is on it.

    Returns
    -------
    str
    """
    parts = [f"# {cell(title)}\n"]
    for one in figures:
        parts.append(f"\n## {cell(one.label[:1].upper() + one.label[1:])}\n\n`{one.kind}`: {cell(one.shows)}\n")
        if one.file:
            words = cell(one.words).replace("]", "\\]").replace('"', "'")
            parts.append(f"\n![{words}]({one.file})\n")
        else:
            parts.append(f"\nNot drawn: {cell(one.reason)}.\n")
    return "".join(parts)
