"""What the verbs on analyses print: run, reproduce, pool, figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ipsevidence.terminal.output import envelope, origin, say, table

if TYPE_CHECKING:
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = ["drawn", "pooled", "reproductions", "runs"]


def runs(
    specs: Sequence[str],
    data: Path | None,
    *,
    every: bool,
    check: bool,
    update: bool,
    as_json: bool,
    quiet: bool,
) -> bool:
    """Run analyses; print their numbers, or compare or write the committed results. Return whether one moved."""
    from ipsevidence.analysis.reproduction import reproduce
    from ipsevidence.analysis.resultfiles import differences, plain, read_result, result_path, write_result
    from ipsevidence.dataset.collection import load

    dataset = load(data)
    moved, documents = False, []
    for name in _named_specs(specs, dataset, every=every):
        reproduction = reproduce(name, dataset)
        document = plain(reproduction)
        documents.append(document)
        path = result_path(dataset.root, document["id"])
        if update:
            write_result(path, document)
        if check:
            changes = differences(read_result(path), document) if path.is_file() else ["there is no committed result"]
            moved = moved or bool(changes)
            _checked(document["id"], changes, quiet=quiet or as_json)
        elif not as_json:
            _run_text(reproduction)
            if update and not quiet:
                say(f"written: analyses/results/{path.name}")
    if as_json:
        envelope("run", documents, [origin(dataset)])
    return moved


def _named_specs(specs: Sequence[str], dataset: "Dataset", *, every: bool) -> list[str]:
    from typer import BadParameter

    from ipsevidence.analysis.specfiles import spec_files

    if every == bool(specs):
        raise BadParameter(f"name analyses, or give --all; there are: {', '.join(spec_files(dataset.root))}")
    return list(spec_files(dataset.root)) if every else list(specs)


def _checked(name: str, changes: Sequence[str], *, quiet: bool) -> None:
    for change in changes:
        say(f"{name}: {change}")
    if not quiet and not changes:
        say(f"{name}: as committed")
    if changes and not quiet:
        say(f"{name}: moved; if it should have, run: ipsevidence run {name} --update")


def _run_text(reproduction: "Reproduction") -> None:
    from ipsevidence.report import tables

    analysis = reproduction.run
    say(analysis.spec.title)
    table(tables.inputs(analysis))
    table(tables.results(analysis))
    _notes(analysis)


def reproductions(
    spec: str | None, data: Path | None, *, every: bool, out: Path | None, as_json: bool, quiet: bool
) -> None:
    """Print verdicts; with `out`, also write the report."""
    from ipsevidence.analysis.reproduction import reproduce
    from ipsevidence.analysis.resultfiles import plain
    from ipsevidence.analysis.specfiles import find_spec
    from ipsevidence.dataset.collection import load
    from ipsevidence.report import tables

    dataset = load(data)
    found = [find_spec(name, dataset.root) for name in _named_specs([spec] if spec else [], dataset, every=every)]
    done = [reproduce(one, dataset) for one in found if not every or one.purpose == "reproduction"]
    for reproduction in done:
        if out is not None:
            from ipsevidence.report.page import write_report

            write_report(reproduction, out / reproduction.run.spec.id if every else out)
    if as_json:
        envelope("reproduce", [plain(reproduction) for reproduction in done], [origin(dataset)])
        return
    for reproduction in done:
        analysis = reproduction.run
        say(analysis.spec.title)
        table(tables.verdicts(reproduction))
        table(tables.results(analysis))
        table(tables.outcomes(analysis))
        _notes(analysis)
        if not quiet:
            say(f"{origin(dataset)}; version {dataset.version}")
            if out is not None:
                say(f"report and figures: {out}")


def _notes(analysis: "AnalysisRun") -> None:
    for note in analysis.notes:
        say(f"note: {note}")


def pooled(file: Path, columns: str | None, settings: dict[str, str], *, as_json: bool, quiet: bool) -> None:
    """Pool a user's own table and print the result."""
    from ipsevidence.report import tables

    analysis = _table_run(file, columns, settings)
    if as_json:
        from ipsevidence.analysis.reproduction import Reproduction
        from ipsevidence.analysis.resultfiles import plain

        envelope("pool", plain(Reproduction(run=analysis, verdicts=())))
        return
    table(tables.inputs(analysis))
    say(str(analysis.fit))
    if not quiet:
        table(tables.results(analysis))
        _notes(analysis)


def _table_run(file: Path, columns: str | None, settings: dict[str, str]) -> "AnalysisRun":
    from ipsevidence.analysis.running import pool_rows
    from ipsevidence.analysis.usertables import rows_from_table, table_spec

    return pool_rows(table_spec(file.stem, settings), rows_from_table(file, _columns(columns)))


def _columns(columns: str | None) -> dict[str, str]:
    from typer import BadParameter

    pairs = [pair.split("=", 1) for pair in columns.split(",")] if columns else []
    if any(len(pair) != 2 or not all(part.strip() for part in pair) for pair in pairs):
        raise BadParameter(f"--columns wants pairs such as ai=events_ips,n1i=total_ips; got {columns}")
    return {ours.strip(): theirs.strip() for ours, theirs in pairs}


def drawn(
    kind: str,
    source: str,
    out: Path,
    columns: str | None,
    measure: str,
    style: str,
    data: Path | None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Draw a figure of an analysis or of a user's table, and say where it is."""
    from ipsevidence.figures import figure, save

    if Path(source).suffix.lower() in (".csv", ".tsv", ".xlsx"):
        analysis = _table_run(Path(source), columns, {"measure": measure})
    else:
        from ipsevidence.analysis.running import run
        from ipsevidence.dataset.collection import load

        analysis = run(source, load(data))
    save(figure(kind, analysis, style=style), out)
    if as_json:
        envelope("figure", {"kind": kind, "file": str(out)})
    elif not quiet:
        say(f"written: {out}")
