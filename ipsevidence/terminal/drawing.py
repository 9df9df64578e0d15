"""What `figure` does: one figure of an analysis, of a user's table or of the records, or a gallery of all."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipsevidence.terminal.output import envelope, remark, say

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = ["GALLERY", "drawn", "pairs"]

GALLERY = "gallery"
"""The kind that draws all others into a folder."""


def drawn(
    kind: str,
    source: str | None,
    out: Path,
    *,
    columns: str | None,
    settings: dict[str, str],
    given: Mapping[str, str],
    by: str | None,
    where: Mapping[str, str],
    style: str,
    workers: int,
    dask: str | None,
    data: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Draw a figure, and say where it is. Ctrl-C leaves what is written whole."""
    from ipsevidence.analysis.workers import spread
    from ipsevidence.core import choose
    from ipsevidence.dataset.collection import load
    from ipsevidence.figures import FIGURES, figure, options_of, save
    from ipsevidence.terminal.progress import progress_bar

    whole = kind == GALLERY
    if not whole:
        choose("kind", kind, {**FIGURES, GALLERY: None})  # what was asked comes before what was found
    _worth_it(kind, workers, dask)
    options: dict[str, Any] = {"style": style} if whole else {"style": style, **options_of(kind, given)}
    own = source is not None and Path(source).suffix.lower() in (".csv", ".tsv", ".xlsx")
    dataset = None if own else load(data)
    analysis = _analysis(kind, source, dataset, columns, settings, by, where)
    if not whole and not FIGURES[kind].repeats:
        save(figure(kind, analysis, dataset, **options), out)
        _said(kind, out, as_json=as_json, quiet=quiet)
        return
    told: list[tuple[int, int]] = []
    with spread(workers, dask) as mapper, progress_bar("figures" if whole else "fits", quiet=quiet) as bar:

        def tell(done: int, total: int) -> None:
            told[:] = [(done, total)]
            if bar is not None:
                bar(done, total)

        if whole:
            _gallery(analysis, dataset, out, {**options, "mapper": mapper, "progress": tell}, as_json, quiet)
            return
        save(figure(kind, analysis, dataset, **options, mapper=mapper, progress=tell), out)
    _said(kind, out, as_json=as_json, quiet=quiet)
    done, total = told[-1]
    if done < total:
        remark(f"stopped: drawn from the first {done:,} of {total:,} fits")
        raise KeyboardInterrupt


def _worth_it(kind: str, workers: int, dask: str | None) -> None:
    """Refuse processes for what is drawn at once, and other machines for what is written to files of this one."""
    from typer import BadParameter

    from ipsevidence.figures import FIGURES

    repeats = [key for key, one in FIGURES.items() if one.repeats]
    if workers > 1 and kind not in (*repeats, GALLERY):
        raise BadParameter(f"--workers is for {', '.join(repeats)} and {GALLERY}; {kind} is drawn at once")
    if dask is not None and kind not in repeats:
        raise BadParameter(f"--dask is for {', '.join(repeats)}; {kind} is drawn on this machine")


def _said(kind: str, out: Path, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        envelope("figure", {"kind": kind, "file": str(out)})
    elif not quiet:
        say(f"written: {out}")


def _gallery(
    analysis: "AnalysisRun | None",
    dataset: "Dataset | None",
    out: Path,
    options: Mapping[str, Any],
    as_json: bool,
    quiet: bool,
) -> None:
    from ipsevidence.report.gallery import draw_all

    drawn_here = draw_all(analysis, dataset, out, **options)
    if as_json:
        envelope("figure", {"kind": GALLERY, "folder": str(out), "figures": [one.to_dict() for one in drawn_here]})
    elif not quiet:
        for one in drawn_here:
            say(f"{one.kind}: {one.file or one.reason}")


def _analysis(
    kind: str,
    source: str | None,
    dataset: "Dataset | None",
    columns: str | None,
    settings: dict[str, str],
    by: str | None,
    where: Mapping[str, str],
) -> "AnalysisRun | None":
    from typer import BadParameter

    from ipsevidence.figures import FIGURES

    if source is None:
        if kind == GALLERY or "run" in FIGURES[kind].needs:
            raise BadParameter(f"{kind} needs an analysis, or a table of your own: figure {kind} SPEC|FILE")
        return None
    if dataset is None:
        if where:
            raise BadParameter("--where is for analyses of the dataset; leave the rows out of your table")
        from ipsevidence.terminal.analyses import table_run

        named = f"{columns},group={by}" if columns and by else f"group={by}" if by else columns
        return table_run(Path(source), named, settings)
    from ipsevidence.analysis.regrouping import narrowed, regrouped
    from ipsevidence.analysis.running import run
    from ipsevidence.analysis.specfiles import find_spec

    unused = [*settings, *(["columns"] if columns else [])]
    if unused:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in unused)
        raise BadParameter(f"{named}: only for a table of your own (.csv, .tsv or .xlsx); a spec says it itself")
    spec = find_spec(source, dataset.root)
    if where:
        spec = narrowed(spec, where)
    return run(regrouped(spec, by, dataset) if by else spec, dataset)


def pairs(option: str, texts: list[str]) -> dict[str, str]:
    """Read ``name=value`` texts; a name alone means yes."""
    from typer import BadParameter

    found: dict[str, str] = {}
    for text in texts:
        name, given, value = text.partition("=")
        if not name.strip() or (given and not value.strip()):
            raise BadParameter(f"{option} wants NAME=VALUE; got {text}")
        if name.strip() in found:
            raise BadParameter(f"{option} gives {name.strip()} twice")
        found[name.strip()] = value.strip() if given else "yes"
    return found
