"""What the verbs on analyses print: run, reproduce, pool."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipsevidence.terminal.output import envelope, origin, say, table

if TYPE_CHECKING:
    from ipsevidence.analysis.claims import ClaimVerdict
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun, Fit
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.report.table import Table

__all__ = ["pooled", "reproductions", "runs", "table_run"]


def runs(
    specs: Sequence[str],
    data: Path | None,
    *,
    every: bool,
    check: bool,
    update: bool,
    crossed: bool,
    as_json: bool,
    quiet: bool,
) -> bool:
    """Run analyses; print their numbers, or compare or write the committed results. Return whether one moved.

    With `every`, all claims are judged as well, and the main analyses are run by other choices.
    """
    from ipsevidence.analysis.reproduction import reproduce
    from ipsevidence.analysis.resultfiles import plain
    from ipsevidence.dataset.collection import load

    dataset = load(data)
    names = _named_specs(specs, dataset, every=every)
    if check or update:
        _shipped_only(names, dataset, update=update)
    say_less = quiet or as_json
    moved: list[str] = []
    documents = []
    made = {}
    for name in names:
        reproduction = reproduce(name, dataset)
        documents.append(plain(reproduction))
        made[documents[-1]["id"]] = reproduction.run
        if not check and not as_json:
            _run_text(reproduction)
        moved += _settle(documents[-1], dataset.root, name, check=check, update=update, quiet=say_less, mute=as_json)
        if crossed:  # after the result was settled: the comparison is no part of what is committed
            moved += _crossed(reproduction, documents[-1], mute=as_json)
    if every:
        verdicts, more = _across(dataset, made)
        documents += more
        for document in more:
            moved += _settle(document, dataset.root, "--all", check=check, update=update, quiet=say_less, mute=as_json)
        if verdicts and not (check or update or as_json):
            table(_verdict_table(verdicts))
    if as_json:
        envelope("run", documents, [origin(dataset), *moved])
    return bool(moved)


def _crossed(reproduction: "Reproduction", document: dict[str, Any], *, mute: bool) -> list[str]:
    """Pool again by other programs; return where they differ, and put the comparison into the document."""
    from ipsevidence.analysis.cross_check import cross_check

    found = cross_check(reproduction.run)
    document["cross_check"] = [dict(zip(found.columns, row, strict=True)) for row in found.to_rows()]
    if not mute:
        say(f"{found}")
    return [f"{document['id']}: another program differs"] if found.differs else []


def _settle(
    document: dict[str, Any], root: Path, again: str, *, check: bool, update: bool, quiet: bool, mute: bool
) -> list[str]:
    """Write a result, or compare it with the committed one and return where it differs; `again` names it in a call."""
    from ipsevidence.analysis.resultfiles import changes, result_path, write_result

    path = result_path(root, document["id"])
    if update:
        write_result(path, document)
        if not quiet:
            say(f"written: analyses/results/{path.name}")
    if not check:
        return []
    found = [f"{document['id']}: {change}" for change in changes(path, document)]
    if not mute:
        _checked(document["id"], found, again, quiet=quiet)
    return found


def _across(
    dataset: "Dataset", made: Mapping[str, "AnalysisRun"]
) -> tuple[tuple["ClaimVerdict", ...], list[dict[str, Any]]]:
    """Judge the claims and vary the main analyses; return the verdicts, and the results that are committed."""
    from ipsevidence.analysis.across import claims_document, judge_all, multiverse_document

    verdicts = judge_all(dataset, made)
    choices = multiverse_document(dataset, made)
    return verdicts, [
        *([claims_document(verdicts, dataset)] if verdicts else []),
        *([choices] if choices is not None else []),
    ]


def _verdict_table(verdicts: Sequence["ClaimVerdict"]) -> "Table":
    from ipsevidence.analysis.claimfiles import VERDICTS
    from ipsevidence.analysis.claims import claims_table
    from ipsevidence.report.table import make

    counts = {key: sum(verdict.verdict == key for verdict in verdicts) for key in VERDICTS}
    rows = [(title, verdict, numbers, k, why) for title, _, _, verdict, numbers, k, why in claims_table(verdicts)]
    summary = ", ".join(f"{count} {key.replace('-', ' ')}" for key, count in counts.items())
    return make(f"{len(rows)} claims: {summary}", "claim|verdict|#numbers|#studies|why", rows)


def _named_specs(specs: Sequence[str], dataset: "Dataset", *, every: bool) -> list[str]:
    from typer import BadParameter

    from ipsevidence.analysis.specfiles import spec_files

    if every == bool(specs):
        known = spec_files(dataset.root)
        such = "primary" if "primary" in known else next(iter(known), "none yet")
        raise BadParameter(f"name analyses, or give --all; there are {len(known)} in analyses/, such as {such}")
    return list(spec_files(dataset.root)) if every else list(specs)


def _shipped_only(names: Sequence[str], dataset: "Dataset", *, update: bool) -> None:
    """Refuse what has no committed result: a spec from elsewhere, and data that belong to an installation."""
    from typer import BadParameter

    from ipsevidence.analysis.specfiles import spec_files

    shipped = spec_files(dataset.root)
    places = {path.resolve() for path in shipped.values()}
    for name in names:
        if name not in shipped and Path(name).is_file() and Path(name).resolve() not in places:
            raise BadParameter(
                f"--check and --update are for the analyses of the dataset, in {dataset.root / 'analyses'}; "
                f"{name} is not among them"
            )
    if update and dataset.origin == "installation" and {"site-packages", "dist-packages"} & set(dataset.root.parts):
        raise BadParameter(
            f"--update would write into the installed package ({dataset.root}); name a checkout with --data"
        )


def _checked(name: str, moved: Sequence[str], again: str, *, quiet: bool) -> None:
    for line in moved:
        say(line)
    if not quiet and not moved:
        say(f"{name}: as committed")
    if moved and not quiet:
        say(f"{name}: moved; if it should have, run: ipsevidence run {again} --update")


def _run_text(reproduction: "Reproduction") -> None:
    from ipsevidence.report import tables

    analysis = reproduction.run
    say(analysis.spec.title)
    table(tables.inputs(analysis))
    table(tables.results(analysis))
    _surroundings(reproduction)
    _notes(analysis)


def _surroundings(reproduction: "Reproduction") -> None:
    """Print what surrounds the pool: coverage with its bounds, people, readings, comparisons."""
    from ipsevidence.core import NotApplicable
    from ipsevidence.report import evidence_tables as about

    analysis, examined = reproduction.run, reproduction.examined
    if examined is None:
        return
    if not isinstance(examined.coverage, NotApplicable):
        say(f"In the pool: {examined.coverage.sentence}.")
        if examined.coverage.bounds:
            table(about.bounds(analysis, examined.coverage))
    if not isinstance(examined.absolutes, NotApplicable):
        table(about.absolutes(examined.absolutes))
    if not isinstance(examined.readings, NotApplicable):
        table(about.readings(analysis, examined.readings))
    if analysis.contrasts:
        table(about.contrasts(analysis))
    if analysis.moderators:
        table(about.moderators(analysis))


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

            write_report(reproduction, out / reproduction.run.spec.id if every else out, dataset)
    if as_json:
        envelope("reproduce", [plain(reproduction) for reproduction in done], [origin(dataset)])
        return
    if every:
        from ipsevidence.analysis.scoreboard import scoreboard

        table(tables.board(scoreboard(dataset, done)))
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

    analysis = table_run(file, columns, settings)
    if as_json:
        from ipsevidence.analysis.reproduction import Reproduction
        from ipsevidence.analysis.resultfiles import plain

        envelope("pool", plain(Reproduction(run=analysis, verdicts=())))
        return
    table(tables.inputs(analysis))
    say(_pooled_sentence(analysis))
    say(f"\nThe fit{', on the log scale' if analysis.measure.scale == 'log' else ''}: {analysis.fit}")
    if quiet:
        for group in analysis.groups:
            say(f"{group.label}: {_pooled_sentence(analysis, group.fit)}")
        return
    table(tables.results(analysis))
    _notes(analysis)


def _pooled_sentence(analysis: "AnalysisRun", fit: "Fit | None" = None) -> str:
    """Write the pooled effect on the scale on which it is read: ``odds ratio 1.63 (95% CI 0.92 to 2.87)``."""
    from ipsevidence.core import PooledResult
    from ipsevidence.figures.numbers import Numerals

    fit = analysis.fit if fit is None else fit
    label = analysis.measure.label
    if not isinstance(fit, PooledResult):
        return f"{label}: not pooled, {fit.reason}"
    write = Numerals(ratio=analysis.measure.scale == "log")
    estimate = write.effect(analysis.shown(fit.estimate))
    level = f"{100 * fit.ci.level:g}% CI"
    if fit.ci.missing:
        return f"{label} {estimate} ({level}: {fit.ci.why or 'none'})"
    low, high = (write.effect(analysis.shown(bound)) for bound in (fit.ci.low, fit.ci.high))
    return f"{label} {estimate} ({level} {low} to {high})"


def table_run(file: Path, columns: str | None, settings: dict[str, str]) -> "AnalysisRun":
    """Pool a user's own table as the options of the command line ask."""
    from ipsevidence.analysis.running import pool_rows
    from ipsevidence.analysis.usertables import level_of, rows_from_table, table_spec

    named = _columns(columns)
    table_spec(file.stem, settings)  # what was asked comes before what was found
    level = float(level_of("--ci-level", settings.get("ci_level", "0.95")))
    rows = rows_from_table(file, named, measure=settings.get("measure", "OR"), level=level)
    return pool_rows(table_spec(file.stem, settings, rows), rows)


def _columns(columns: str | None) -> dict[str, str]:
    from typer import BadParameter

    pairs = [pair.split("=", 1) for pair in columns.split(",")] if columns else []
    if any(len(pair) != 2 or not all(part.strip() for part in pair) for pair in pairs):
        raise BadParameter(f"--columns wants pairs such as ai=events_ips,n1i=total_ips; got {columns}")
    named = {ours.strip().lower(): theirs.strip() for ours, theirs in pairs}
    if len(named) < len(pairs):
        raise BadParameter(f"--columns names one of ours twice; got {columns}")
    return named
