"""What the verbs on the dataset print: validate, fmt, list, show, stats, map, wanted, export."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ipsevidence.terminal.output import envelope, origin, plural, say, table

if TYPE_CHECKING:
    from ipsevidence.analysis.validation import Validation
    from ipsevidence.dataset.collection import Dataset

__all__ = ["FORMS", "evidence_map", "exported", "findings", "formatted", "stats", "studies", "study", "wanted"]

_MOST_LINES: Final = 60

FORMS: Final = ("text", "json", "github", "sarif")
"""How findings can be printed: for people, for a program, as annotations of GitHub, and as SARIF 2.1.0."""


def findings(result: "Validation", *, as_json: bool, quiet: bool, form: str = "text") -> None:
    """Print what `validate` found, in one of `FORMS`."""
    if as_json or form == "json":
        envelope("validate", {"files": result.files, "findings": [f.to_dict() for f in result.findings]})
    elif form == "github":
        _annotations(result, quiet=quiet)
    elif form == "sarif":
        import json

        from ipsevidence import __version__
        from ipsevidence.dataset.annotating import sarif_log

        print(json.dumps(sarif_log(result.findings, __version__), indent=2))  # noqa: T201
    else:
        for finding in result.findings:
            say(str(finding))
        if not quiet:
            say(_summary(result))


def _annotations(result: "Validation", *, quiet: bool) -> None:
    from ipsevidence.dataset.annotating import github_annotations

    for line in github_annotations(result.findings):
        say(line)
    if not quiet:
        say(_summary(result))


def _summary(result: "Validation") -> str:
    errors = sum(finding.severity == "error" for finding in result.findings)
    advice = len(result.findings) - errors
    return f"{plural(result.files, 'file')}: {plural(errors, 'error')}, {advice} advice"


def formatted(changed: Mapping[Path, str], *, check: bool, as_json: bool, quiet: bool) -> None:
    """Print which files `fmt` put, or would put, into canonical form, and the lines that it changes."""
    if as_json:
        named = {str(path): lines for path, lines in changed.items()}
        envelope("fmt", {"changed": list(named), "lines": named, "written": not check})
        return
    for path, text in changed.items():
        say(f"{path}: {'not in canonical form; run: ipsevidence fmt' if check else 'formatted'}")
        lines = [] if quiet else text.splitlines()[2:]  # without the names of the two sides
        for line in lines[:_MOST_LINES]:
            say(f"  {line}")
        if len(lines) > _MOST_LINES:
            say(f"  and {len(lines) - _MOST_LINES} lines more")
    if not quiet and not changed:
        say("all files are in canonical form")


def studies(dataset: "Dataset", wanted: dict[str, str], sort: str, *, as_json: bool, quiet: bool) -> None:
    """Print the list of studies that meet every filter, in the order asked for."""
    from ipsevidence.dataset.overview import FILTERS, ORDERS, find
    from ipsevidence.report.record_tables import study_list

    for name, value, allowed in (("sort", sort, ORDERS), *((n, v, FILTERS[n].allowed) for n, v in wanted.items())):
        if allowed is not None and value not in allowed:
            from ipsevidence.core import choose  # loads numpy, which a list of studies has no other need of

            choose(f"--{name}", value, allowed)
    chosen = find(dataset, wanted, sort)
    if as_json:
        envelope("list", [_brief(study) for study in chosen], [origin(dataset)])
        return
    table(study_list(chosen))
    if not quiet:
        say(f"{len(chosen)} of {len(dataset)} studies; {origin(dataset)}")


def _brief(study: Any) -> dict[str, Any]:
    from ipsevidence.dataset.overview import best_basis

    return {
        "id": study.id,
        "label": study.label,
        "status": study.status,
        "year": study.reports[0].year,
        "design": study.design.type,
        "countries": list(study.design.countries),
        "analysis_group": study.population.analysis_group,
        "tags": list(study.population.tags),
        "participants": [{"what": p.what, "value": float(p.value)} for p in study.participants if p.value is not None],
        "outcomes": [outcome.id for outcome in study.outcomes],
        "best_basis": best_basis(study),
    }


def study(dataset: "Dataset", study_id: str, *, as_json: bool, quiet: bool) -> None:
    """Print one study, every number beside its basis and source."""
    from ipsevidence.report.record_tables import study_page

    record = dataset[study_id]
    if as_json:
        envelope("show", record.model_dump(mode="json", by_alias=True, exclude_none=True), [origin(dataset)])
        return
    for part in study_page(record):
        if isinstance(part, str):
            say(f"\n{part}")
        else:
            table(part)
    if not quiet:
        say(f"{dataset.entries[study_id].file}; {origin(dataset)}")


def stats(dataset: "Dataset", *, as_json: bool, quiet: bool) -> None:
    """Print the counts of the dataset."""
    from ipsevidence.dataset import overview
    from ipsevidence.report.record_tables import stats_tables

    counts = overview.stats(dataset)
    if as_json:
        envelope("stats", {"studies": len(dataset), "by": counts}, [origin(dataset)])
        return
    for part in stats_tables(counts):
        table(part)
    if not quiet:
        say(f"\n{len(dataset)} studies; {origin(dataset)}")


def evidence_map(dataset: "Dataset", *, as_json: bool, quiet: bool) -> None:
    """Print the map of populations and comparators."""
    from ipsevidence.dataset import overview
    from ipsevidence.report.record_tables import map_table

    cells = overview.evidence_map(dataset)
    if as_json:
        envelope("map", [dataclasses.asdict(cell) for cell in cells], [origin(dataset)])
        return
    table(map_table(cells))
    if not quiet:
        say("\nin brackets: studies with reported or derived counts in two arms")


def wanted(dataset: "Dataset", *, as_json: bool, quiet: bool) -> None:
    """Print the wanted numbers."""
    from ipsevidence.dataset import overview
    from ipsevidence.report.record_tables import wanted_table

    numbers = overview.wanted(dataset)
    waiting = [str(one) for one in dataset.not_entered]
    if as_json:
        envelope("wanted", [dataclasses.asdict(number) for number in numbers], [origin(dataset), *waiting])
        return
    table(wanted_table(numbers))
    if not quiet:
        say(f"\n{len(numbers)} wanted numbers, those of the largest studies first. Have one? See CONTRIBUTING.md.")
        for line in waiting:
            say(line)


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
    if spec is not None and program is None:
        raise BadParameter("--spec goes with --for, the program that the inputs are for, as in --for metafor")
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
        envelope("export", [str(file) for file in files], [origin(dataset)])
    elif not quiet:
        for file in files:
            say(f"written: {file}")
