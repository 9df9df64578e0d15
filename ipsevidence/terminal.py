"""What the command line prints: findings, tables, verdicts; plain in a pipe, and JSON on request."""

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.analysis.validation import Validation
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.dataset.findings import Finding
    from ipsevidence.report.table import Table

SCHEMA = 1
_PIPE_WIDTH = 160


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """An error that a user can cause and mend: one message, or the findings on a file."""

    message: str
    findings: tuple["Finding", ...] = ()

    @classmethod
    def of(cls, error: Exception) -> "UserError | None":
        """Return the error as a user's, or None where it is ours."""
        from typer import TyperException

        from ipsevidence.analysis.selection import SelectionError
        from ipsevidence.analysis.usertables import TableError
        from ipsevidence.core import InputError
        from ipsevidence.dataset.collection import UnknownStudyError
        from ipsevidence.dataset.reader import ReadError

        if isinstance(error, ReadError):
            return cls(message="", findings=error.findings)
        if isinstance(error, TyperException):
            return cls(message=error.format_message())
        if isinstance(error, OSError):
            return cls(message=f"{error.strerror}: {error.filename}" if error.strerror else str(error))
        if isinstance(error, (SelectionError, TableError, InputError, UnknownStudyError)):
            return cls(message=str(error))
        return None


def fail(error: UserError) -> int:
    """Print an error to standard error and return the exit code: 1 for findings on a file, 2 for usage."""
    for finding in error.findings:
        print(finding, file=sys.stderr)  # noqa: T201
    if error.message:
        print(f"error: {error.message}", file=sys.stderr)  # noqa: T201
    return 1 if error.findings else 2


def say(text: str = "") -> None:
    """Print a line of output."""
    print(text)  # noqa: T201


def envelope(command: str, data: Any, notes: Iterable[str] = ()) -> None:
    """Print what a machine reads: {schema, command, data, notes}."""
    document = {"schema": SCHEMA, "command": command, "data": data, "notes": list(notes)}
    say(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def table(content: "Table") -> None:
    """Print a table: by rich on a terminal, unwrapped and without colour in a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    live = sys.stdout.isatty()
    console = Console(width=None if live else _PIPE_WIDTH, no_color=bool(os.environ.get("NO_COLOR")) or not live)
    shown = RichTable(
        box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title=content.title, title_style="bold"
    )
    for column in content.columns:
        shown.add_column(column.heading, justify="right" if column.number else "left", overflow="fold")
    for row in content.rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(shown)
    for note in content.notes:
        console.print(Text(note, style="dim"))


def findings(result: "Validation", *, as_json: bool, quiet: bool) -> None:
    """Print what `validate` found."""
    if as_json:
        envelope("validate", {"files": result.files, "findings": [f.to_dict() for f in result.findings]})
        return
    for finding in result.findings:
        say(str(finding))
    if not quiet:
        errors = sum(finding.severity == "error" for finding in result.findings)
        advice = len(result.findings) - errors
        say(f"{_number(result.files, 'file')}: {_number(errors, 'error')}, {advice} advice")


def formatted(changed: Sequence[Path], *, check: bool, as_json: bool, quiet: bool) -> None:
    """Print which files `fmt` put, or would put, into canonical form."""
    if as_json:
        envelope("fmt", {"changed": [str(path) for path in changed], "written": not check})
        return
    for path in changed:
        say(f"{path}: {'not in canonical form; run: ipsevidence fmt' if check else 'formatted'}")
    if not quiet and not changed:
        say("all files are in canonical form")


def studies(dataset: "Dataset", *, group: str | None, tag: str | None, as_json: bool, quiet: bool) -> None:
    """Print the list of studies."""
    from ipsevidence.core import choose
    from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP
    from ipsevidence.report.record_tables import study_list

    if group is not None:
        choose("--group", group, ANALYSIS_GROUP)
    chosen = [
        study
        for study in dataset
        if (group is None or study.population.analysis_group == group) and (tag is None or tag in study.population.tags)
    ]
    if as_json:
        envelope("list", [_brief(study) for study in chosen], [_origin(dataset)])
        return
    table(study_list(chosen))
    if not quiet:
        say(f"{len(chosen)} of {len(dataset)} studies; {_origin(dataset)}")


def _brief(study: Any) -> dict[str, Any]:
    return {
        "id": study.id,
        "label": study.label,
        "status": study.status,
        "design": study.design.type,
        "countries": list(study.design.countries),
        "analysis_group": study.population.analysis_group,
        "tags": list(study.population.tags),
        "participants": [{"what": p.what, "value": float(p.value)} for p in study.participants if p.value is not None],
        "outcomes": [outcome.id for outcome in study.outcomes],
    }


def study(dataset: "Dataset", study_id: str, *, as_json: bool, quiet: bool) -> None:
    """Print one study, every number beside its basis and source."""
    from ipsevidence.report.record_tables import study_page

    record = dataset[study_id]
    if as_json:
        envelope("show", record.model_dump(mode="json", by_alias=True, exclude_none=True), [_origin(dataset)])
        return
    for part in study_page(record):
        if isinstance(part, str):
            say(f"\n{part}")
        else:
            table(part)
    if not quiet:
        say(f"{dataset.entries[study_id].file}; {_origin(dataset)}")


def stats(dataset: "Dataset", *, as_json: bool, quiet: bool) -> None:
    """Print the counts of the dataset."""
    from ipsevidence.dataset import overview
    from ipsevidence.report.record_tables import stats_tables

    counts = overview.stats(dataset)
    if as_json:
        envelope("stats", {"studies": len(dataset), "by": counts}, [_origin(dataset)])
        return
    for part in stats_tables(counts):
        table(part)
    if not quiet:
        say(f"\n{len(dataset)} studies; {_origin(dataset)}")


def evidence_map(dataset: "Dataset", *, as_json: bool, quiet: bool) -> None:
    """Print the map of populations and comparators."""
    from ipsevidence.dataset import overview
    from ipsevidence.report.record_tables import map_table

    cells = overview.evidence_map(dataset)
    if as_json:
        envelope("map", [dataclasses.asdict(cell) for cell in cells], [_origin(dataset)])
        return
    table(map_table(cells))
    if not quiet:
        say("\nin brackets: studies with reported or derived counts in two arms")


def wanted(dataset: "Dataset", *, as_json: bool, quiet: bool) -> None:
    """Print the wanted numbers."""
    from ipsevidence.dataset import overview
    from ipsevidence.report.record_tables import wanted_table

    numbers = overview.wanted(dataset)
    if as_json:
        envelope("wanted", [dataclasses.asdict(number) for number in numbers], [_origin(dataset)])
        return
    table(wanted_table(numbers))
    if not quiet:
        say(f"\n{len(numbers)} wanted numbers, those of the largest studies first. Have one? See CONTRIBUTING.md.")


def exported(
    out: Path,
    formats: tuple[str, ...],
    program: str | None,
    spec: str | None,
    data: Path | None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write tables of the dataset, or the inputs of an analysis, and say which files there are."""
    from typer import BadParameter

    from ipsevidence.core import choose
    from ipsevidence.dataset.collection import load
    from ipsevidence.dataset.export import FORMATS, export

    for name in formats:
        choose("--format", name, FORMATS)
    dataset = load(data)
    if program is None:
        files = export(dataset, out, formats or None)
    else:
        choose("--for", program, {"metafor": None})
        if spec is None:
            raise BadParameter("--for needs --spec, the analysis whose inputs are wanted")
        from ipsevidence.analysis.running import run
        from ipsevidence.dataset.storage import write_atomically
        from ipsevidence.report.page import inputs_csv

        analysis = run(spec, dataset)
        out.mkdir(parents=True, exist_ok=True)
        files = (out / f"{analysis.spec.id}.csv",)
        write_atomically(files[0], inputs_csv(analysis))
    if as_json:
        envelope("export", [str(file) for file in files], [_origin(dataset)])
    elif not quiet:
        for file in files:
            say(f"written: {file}")


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
        envelope("run", documents, [_origin(dataset)])
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
        envelope("reproduce", [plain(reproduction) for reproduction in done], [_origin(dataset)])
        return
    for reproduction in done:
        analysis = reproduction.run
        say(analysis.spec.title)
        table(tables.verdicts(reproduction))
        table(tables.results(analysis))
        table(tables.outcomes(analysis))
        _notes(analysis)
        if not quiet:
            say(f"{_origin(dataset)}; version {dataset.version}")
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


def _origin(dataset: "Dataset") -> str:
    words = {
        "path": "the folder given",
        "environment": "the folder that IPSEVIDENCE_DATA names",
        "checkout": "the checkout",
        "installation": "the installed package",
    }
    return f"data from {words[dataset.origin]} ({dataset.root})"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
