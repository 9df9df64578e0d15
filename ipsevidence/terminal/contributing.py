"""What the verbs for contributors print and ask: new, explain, check-numbers."""

import dataclasses
import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ipsevidence.terminal.output import envelope, plural, say, table

if TYPE_CHECKING:
    from ipsevidence.dataset.check_examples import Example
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.dataset.entering import Field
    from ipsevidence.dataset.findings import Finding
    from ipsevidence.dataset.recomputing import Statistic
    from ipsevidence.dataset.record import Study
    from ipsevidence.dataset.starting import Start, Template
    from ipsevidence.report.table import Table

__all__ = ["Given", "check_explained", "numbers_checked", "record_started"]

_WIDE: Final = 100
_MOST_LINES: Final = 14
_FEW_TERMS: Final = 8
_WORDS: Final = {"agrees": "agrees", "differs": "DIFFERS", "cannot": "cannot"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was given on the command line for a new record: values by field, arms and effects as typed."""

    values: Mapping[str, Sequence[str]]
    arms: Sequence[str] = ()
    effects: Sequence[str] = ()


def record_started(
    study_id: str | None,
    template: str | None,
    given: Given,
    data: Path | None,
    *,
    analysis: bool = False,
    dry_run: bool = False,
    as_json: bool = False,
    quiet: bool = False,
) -> None:
    """Start a record, or with `analysis` a spec: ask for it on a terminal, write it, say what is still missing."""
    from ipsevidence.dataset.collection import find_data, gather
    from ipsevidence.dataset.storage import write_new

    root, origin = find_data(data)
    if origin == "installation" and not dry_run:
        raise _usage("there is no checkout here to write into; work in one, or name the folder with --data")
    ask = None if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()) else _prompt
    dataset, _ = gather(root, origin)
    folder = "analyses" if analysis else "studies"

    def free(name: str) -> str:
        path = root / folder / f"{name}.yaml"
        if path.exists() or path.is_symlink():
            raise _usage(f"{path} is there already; nothing was written. Give another id, or edit that file")
        holder = None if analysis else next((study.id for study in dataset if name in study.former_ids), None)
        if holder is not None:
            raise _usage(f"{name} was the id of {holder}; nothing was written. Give another id, before the options")
        return name

    given = _split(given)
    if analysis:
        start, remarks = _analysis(study_id, given, free, ask)
    else:
        start, remarks = _record(study_id, template, given, dataset, free, ask)
    path = root / folder / f"{free(start.id)}.yaml"
    findings = _gaps(start, f"{folder}/{start.id}.yaml", analysis=analysis)
    if not dry_run:
        write_new(path, start.text)
    if as_json:
        written = None if dry_run else str(path)
        found = [finding.to_dict() for finding in findings]
        shown = {"id": start.id, "file": written, "text": start.text, "findings": found}
        envelope("new", shown, remarks)
    else:
        _say_start(start, path, remarks, findings, dry_run=dry_run, quiet=quiet)


def _usage(message: str) -> Exception:
    from typer import BadParameter

    return BadParameter(message)


def _split(given: Given) -> Given:
    """Take values of what there may be several of apart at their commas."""
    several = ("country", "group", "tag")
    values = {
        key: [part for text in texts for part in text.split(",")] if key in several else list(texts)
        for key, texts in given.values.items()
        if texts
    }
    return dataclasses.replace(given, values=values)


def _record(
    study_id: str | None,
    template: str | None,
    given: Given,
    dataset: "Dataset",
    free: Callable[[str], str],
    ask: Callable[..., str] | None,
) -> tuple["Start", list[str]]:
    from ipsevidence.dataset.entering import ARM_KEYS, EFFECT_KEYS, pairs_of
    from ipsevidence.dataset.starting import TEMPLATES, checked_id, new_record, same_paper

    if study_id is not None:
        free(checked_id(study_id))
    chosen = template or "two-arm"
    if chosen not in TEMPLATES:
        raise _usage(f"--template must be one of {', '.join(TEMPLATES)}; got {chosen}")
    values = {key: list(texts) for key, texts in given.values.items()}
    arms = [pairs_of(text, ARM_KEYS, "arm") for text in given.arms]
    effects = [pairs_of(text, EFFECT_KEYS, "effect") for text in given.effects]
    if ask is not None:
        _ask_for_record(TEMPLATES[chosen], study_id, values, arms, free, ask)
    start = new_record(TEMPLATES[chosen], values, arms, effects, today=_today(), study_id=study_id)
    return start, [*start.remarks, *same_paper(dataset, values)]


def _today() -> str:
    import datetime as dt

    return dt.datetime.now().astimezone().date().isoformat()


def _analysis(
    study_id: str | None, given: Given, free: Callable[[str], str], ask: Callable[..., str] | None
) -> tuple["Start", list[str]]:
    from ipsevidence.analysis.spec import Spec
    from ipsevidence.dataset.entering import FIELDS
    from ipsevidence.dataset.starting import checked_id, new_analysis

    if given.arms or given.effects:
        raise _usage("--arm and --effect are for records, not for an analysis")
    values = {key: list(texts) for key, texts in given.values.items()}
    if ask is None:
        lacking = [*(["ID"] if study_id is None else []), *([] if values.get("title") else ["--title"])]
        if lacking:
            raise _usage(f"an analysis needs {', '.join(lacking)}")
    else:
        study_id = study_id or _asked("Id of the analysis, such as primary-veterans", checked_id, ask)
        free(checked_id(study_id))
        wanted = ("title", "population", "intervention", "comparator", "definition", "concept", "window", "measure")
        _ask_fields([FIELDS[key] for key in wanted], values, ask, needed=("title",))
    assert study_id is not None
    return new_analysis(study_id, values, Spec), []


def _gaps(start: "Start", file: str, *, analysis: bool) -> tuple["Finding", ...]:
    """Return what is still wrong with the record that was started."""
    from ipsevidence.dataset.checks import check_entry
    from ipsevidence.dataset.collection import read_entry
    from ipsevidence.dataset.reader import ReadError, read

    try:
        if analysis:
            from ipsevidence.analysis.spec import Spec

            read(start.text.encode(), Spec, file=file)
            return ()
        return check_entry(read_entry(start.text.encode(), file))
    except ReadError as error:
        return error.findings


def _say_start(
    start: "Start",
    path: Path,
    remarks: Sequence[str],
    findings: Sequence["Finding"],
    *,
    dry_run: bool,
    quiet: bool,
) -> None:
    if dry_run:
        say(start.text.rstrip("\n"))
    else:
        say(f"written: {path}")
    if quiet:
        return
    say()
    for remark in remarks:
        say(f"- {remark}")
    if findings:
        say(f"{plural(len(findings), 'thing')} to fill in or look at:")
        for finding in findings:
            say(f"  line {finding.line}  {finding.check}  {finding.what}\n      {finding.fix}")
    else:
        say("it validates")
    if not dry_run:
        say(f"next: ipsevidence validate {path}")


def _prompt(question: str) -> str:
    import typer

    return str(typer.prompt(question, default="", show_default=False))


def _ask_for_record(
    template: "Template",
    study_id: str | None,
    values: dict[str, list[str]],
    arms: list[dict[str, str]],
    free: Callable[[str], str],
    ask: Callable[..., str],
) -> None:
    """Ask for what was not given, field by field, then arm by arm; an answer of nothing leaves a thing out."""
    from ipsevidence.dataset.entering import FIELDS
    from ipsevidence.dataset.starting import id_of

    say(f"A {template.label}. Enter leaves out what you do not know; ? lists the terms.")
    guess = re.fullmatch(r"([a-z-]+)-((?:19|20)\d\d)", study_id or "")
    if guess and "year" not in values:
        values["year"] = [guess[2]]
    fields = [field for field in FIELDS.values() if not field.only or template.key in field.only]
    before = [field for field in fields if field.key not in {"concept", "definition", "months", "window"}]
    needed = [field.key for field in fields if field.needed]
    _ask_fields([FIELDS["author"], FIELDS["year"]], values, ask, needed)
    if study_id is None:
        free(id_of(values["author"][0], values["year"][0]))  # before anything more is typed
    _ask_fields(before, values, ask, needed)
    arms.extend([_ask_for_arm(name, ask) for name in template.arms[len(arms) :]])
    if any("events" in arm or "percent" in arm for arm in arms):
        _ask_fields([field for field in fields if field not in before], values, ask)


def _ask_fields(
    fields: Sequence["Field"], values: dict[str, list[str]], ask: Callable[..., str], needed: Sequence[str] = ()
) -> None:
    from ipsevidence.dataset.entering import value_of

    for field in fields:
        if values.get(field.key):
            continue
        question = field.question + (" (several with commas)" if field.many else "")
        few = field.terms is not None and len(field.terms) <= _FEW_TERMS
        question += f" [{'/'.join(field.terms)}]" if few and field.terms else ""

        def checked(text: str, field: "Field" = field) -> list[str]:
            parts = text.split(",") if field.many else [text]
            return [value_of(field.key, part) for part in parts]

        answer = _asked(question, checked, ask, field, needed=field.key in needed)
        if answer:
            values[field.key] = answer


def _asked(
    question: str,
    checked: Callable[[str], Any],
    ask: Callable[..., str],
    field: "Field | None" = None,
    *,
    needed: bool = True,
) -> Any:
    """Ask until the answer can be used; None for an answer of nothing to a question that need not be answered."""
    from ipsevidence.core import InputError

    while True:
        text = ask(question).strip()
        if text == "?" and field is not None and field.terms is not None:
            for term in field.terms.values():
                say(f"  {term.key:32} {term.definition}")
        elif not text and not needed:
            return None
        elif not text:
            say("  this one is needed")
        else:
            try:
                return checked(text)
            except InputError as error:
                say(f"  {error}")


def _ask_for_arm(name: str, ask: Callable[..., str]) -> dict[str, str]:
    """Ask for one arm; where a percent leaves several numbers, offer them."""
    from ipsevidence.dataset.entering import FIELDS, tidied
    from ipsevidence.dataset.starting import checked_arm
    from ipsevidence.dataset.vocabulary import TREATMENT

    arm: dict[str, str] = {}
    terms = dataclasses.replace(FIELDS["report"], terms=TREATMENT)

    def question(key: str, words: str, field: "Field | None" = None, *, needed: bool = False) -> None:
        def checked(text: str) -> str:
            value = tidied(text)
            checked_arm({"treatment": "ips", **arm, key: value})
            return value

        answer = _asked(f"{name[0].upper()}{name[1:]}: {words}", checked, ask, field, needed=needed)
        if answer is not None:
            arm[key] = answer

    question("treatment", "treatment (? lists the terms)", terms, needed=True)
    question("label", "what the source calls it")
    question("n", "number of persons who entered it")
    question("events", "persons with the outcome, where the number is printed")
    if "events" in arm:
        return arm
    question("percent", "percent with the outcome, as printed")
    if "percent" in arm and "n" in arm:
        question("analysed", "number analysed, where the percent is of another number than n")
        _offer(arm, question)
    return arm


def _offer(arm: dict[str, str], question: Callable[..., None]) -> None:
    """Say which numbers give the percent that was typed, and ask whether one of them is printed."""
    from ipsevidence.dataset.arithmetic import printed_percent
    from ipsevidence.dataset.offering import offered_counts

    n = int(arm.get("analysed", arm["n"]).replace(",", ""))
    percent = printed_percent(arm["percent"] if "%" in arm["percent"] else f"{arm['percent']}%")
    assert percent is not None
    offer = offered_counts(percent, n)
    if offer.kind == "only":
        say(f"  {percent}% of {n} is given by {offer.closest} only")
        return
    shown = ", ".join(map(str, offer.counts[:20])) + (" ..." if len(offer.counts) > 20 else "")
    if offer.kind == "several":
        say(f"  {percent}% of {n} is given by {shown}")
        question("events", "which of them does the source print (Enter keeps all of them)")
    else:
        say(f"  no whole number of {n} gives {percent}%; closest: {shown}. Look n up: it may be another number")


def check_explained(check_id: str, *, as_json: bool, quiet: bool) -> None:
    """Print what a check demands, why, how to meet it, and an example of both."""
    from ipsevidence.dataset.explaining import check_ids, explained, similar_checks

    if check_id not in check_ids():
        near = similar_checks(check_id)
        hint = f"; nearest: {', '.join(near)}" if near else f"; there are: {', '.join(check_ids())}"
        raise _usage(f"there is no check {check_id[:80]}{hint}")
    meaning = explained(check_id)
    if as_json:
        envelope("explain", dataclasses.asdict(meaning))
        return
    accept = "a record may accept it, with a reason" if meaning.acceptable else "cannot be accepted"
    blocks = "error: it blocks" if meaning.severity == "error" else "advice: it does not block"
    say(f"{meaning.id}  ({blocks}; {accept})")
    for head, text in (("Rule", meaning.rule), ("Why", meaning.why), ("Fix", meaning.fix)):
        say()
        say(textwrap.fill(text, _WIDE, initial_indent=f"{head}: ", subsequent_indent=" " * (len(head) + 2)))
    if not quiet:
        _say_example(meaning.example)


def _say_example(example: "Example") -> None:
    place = {"record": "in a record", "outcome": "in an outcome", "file": "a whole file"}[example.inside]
    say()
    say(f"Example, {place}" + (f" ({example.note})" if example.note else ""))
    for head, keys, beside in (
        ("wrong", example.wrong, example.beside_wrong),
        ("right", example.right, example.beside_right),
    ):
        say(f"\n  {head}:")
        _say_keys(keys)
        if beside:
            say("  beside, in the record second-2021:")
            _say_keys(beside)


def _say_keys(text: str) -> None:
    from ipsevidence.dataset.findings import visible

    lines = text.rstrip("\n").split("\n")
    for line in lines[:_MOST_LINES]:
        shown = visible(line)
        say(f"    {shown[:200]}" + (" ..." if len(shown) > 200 else ""))
    if len(lines) > _MOST_LINES:
        say("    ...")


def numbers_checked(study_id: str, data: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Print every statistic of a record beside what its counts give."""
    from ipsevidence.dataset.recomputing import recomputed

    study = _study(study_id, data)
    found = recomputed(study)
    counts = {verdict: sum(item.verdict == verdict for item in found) for verdict in _WORDS}
    if as_json:
        envelope("check-numbers", {"id": study.id, **counts, "statistics": [dataclasses.asdict(i) for i in found]})
        return
    for title, part in _by_place(study.label, found).items():
        table(_numbers_table(title, part))
    if not quiet:
        say(f"{counts['agrees']} agree, {counts['differs']} differ, {counts['cannot']} cannot be recomputed")


def _study(study_id: str, data: Path | None) -> "Study":
    """Return one record, by its id or by its path; only its own file is read where there is one."""
    from ipsevidence.dataset.collection import find_data, load, read_entry
    from ipsevidence.dataset.reader import fetch

    if study_id.endswith((".yaml", ".yml")):
        return read_entry(fetch(Path(study_id)), study_id).study
    root, _ = find_data(data)
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", study_id) and (root / "studies" / f"{study_id}.yaml").is_file():
        return read_entry(fetch(root / "studies" / f"{study_id}.yaml"), f"studies/{study_id}.yaml").study
    return load(data)[study_id]


def _by_place(label: str, found: Sequence["Statistic"]) -> dict[str, list["Statistic"]]:
    """Put the statistics of one outcome together, under its place; all others under the study."""
    groups: dict[str, list[Statistic]] = {}
    for item in found:
        parts = item.at.split(".")
        title = ".".join(parts[:2]) if parts[0] == "outcomes" else label
        groups.setdefault(title, []).append(item)
    return groups


def _numbers_table(title: str, found: Sequence["Statistic"]) -> "Table":
    from ipsevidence.report.table import make

    rows = (
        (
            item.at.removeprefix(f"{title}."),
            item.what,
            item.printed,
            item.computed,
            _WORDS[item.verdict],
            item.why + (f"; accepted: {item.accepted}" if item.accepted else ""),
        )
        for item in found
    )
    return make(title, "place|what|#printed|#computed|verdict|from, or why", rows)
