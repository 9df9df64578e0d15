"""What the verbs on analyses print: run, reproduce, pool."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipsevidence.terminal.output import envelope, origin, remark, say, table
from ipsevidence.terminal.progress import progress_bar, undivided

if TYPE_CHECKING:
    from ipsevidence.analysis.claims import ClaimVerdict
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun, Fit
    from ipsevidence.analysis.spec import Spec
    from ipsevidence.core.repeating import Mapper, Progress
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
    workers: int,
    dask: str | None,
    as_json: bool,
    quiet: bool,
) -> bool:
    """Run analyses; print their numbers, or compare or write the committed results. Return whether one moved.

    With `every`, all claims are judged as well, and the main analyses are run by other choices. Ctrl-C leaves whole
    what is done, and says what is not.
    """
    from ipsevidence.analysis.across import CLAIMS, MULTIVERSE
    from ipsevidence.analysis.specfiles import find_spec
    from ipsevidence.analysis.workers import spread
    from ipsevidence.dataset.collection import load

    dataset = load(data)
    names = _named_specs(specs, dataset, every=every)
    if check or update:
        _shipped_only(names, dataset, update=update)
    asked = {name: find_spec(name, dataset.root) for name in names}
    results = _Results(dataset=dataset, check=check, update=update, crossed=crossed, as_json=as_json, quiet=quiet)
    try:
        with spread(workers, dask) as mapper, progress_bar("analyses", quiet=quiet) as told:
            results.take_analyses(asked, mapper, told)
            if every:
                results.take_across(mapper)
    except KeyboardInterrupt:
        wanted = [spec.id for spec in asked.values()] + ([CLAIMS, MULTIVERSE] if every else [])
        stop = results.stopped(wanted)
        results.give(stop)
        remark(stop)
        raise
    results.give()
    return bool(results.moved)


@dataclasses.dataclass(kw_only=True)
class _Results:
    """What has been run so far, whole: results as they are committed, and where they moved."""

    dataset: "Dataset"
    check: bool
    update: bool
    crossed: bool
    as_json: bool
    quiet: bool
    documents: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    moved: list[str] = dataclasses.field(default_factory=list)
    runs: dict[str, "AnalysisRun"] = dataclasses.field(default_factory=dict)

    def take_analyses(self, asked: Mapping[str, "Spec"], mapper: "Mapper", told: "Progress | None") -> None:
        """Run analyses, and print, compare or write each as it comes."""
        from ipsevidence.analysis.across import reproduce_all
        from ipsevidence.analysis.resultfiles import plain

        made = reproduce_all(list(asked.values()), self.dataset, mapper=mapper)
        for name, reproduction in zip(asked, made, strict=True):
            if not self.check and not self.as_json:
                _run_text(reproduction)
            self.take(plain(reproduction), name)
            self.runs[reproduction.run.spec.id] = reproduction.run
            if self.crossed:  # after the result was settled: the comparison is no part of what is committed
                self.moved += _crossed(reproduction, self.documents[-1], mute=self.as_json)
            if told is not None:
                told(len(self.documents), len(asked))

    def take_across(self, mapper: "Mapper") -> None:
        """Judge the claims and vary the main analyses."""
        from ipsevidence.analysis.across import claims_document, judge_all, multiverse_document

        verdicts = judge_all(self.dataset, self.runs, mapper=mapper)
        choices = multiverse_document(self.dataset, self.runs, mapper=mapper)
        if verdicts:
            self.take(claims_document(verdicts, self.dataset), "--all")
        if choices is not None:
            self.take(choices, "--all")
        if verdicts and not (self.check or self.update or self.as_json):
            table(_verdict_table(verdicts))

    def take(self, document: dict[str, Any], again: str) -> None:
        """Write a result, or compare it with the committed one; then it is done."""
        say_less = self.quiet or self.as_json
        how = {"check": self.check, "update": self.update, "quiet": say_less, "mute": self.as_json}
        with undivided():  # what is written is done, and said to be
            self.moved += _settle(document, self.dataset.root, again, **how)
            self.documents.append(document)

    def give(self, *remarks: str) -> None:
        """Print for a machine all that is done."""
        if self.as_json:
            envelope("run", self.documents, [origin(self.dataset), *self.moved, *remarks])

    def stopped(self, wanted: Sequence[str]) -> str:
        """Say after Ctrl-C what is there and what is not."""
        done = {document["id"] for document in self.documents}
        left = ", ".join(name for name in wanted if name not in done) or "none"
        return f"stopped: {len(done)} of {len(wanted)} results are done and whole; not run: {left}"


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
