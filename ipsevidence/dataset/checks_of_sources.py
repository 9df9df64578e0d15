"""Checks of where numbers come from, and of the names by which parts of a record refer to each other."""

import re
from collections.abc import Iterable, Iterator

from ipsevidence.dataset.checklist import Case, Path, Problem, check, counted, listed
from ipsevidence.dataset.findings import excerpt
from ipsevidence.dataset.record import Published, StatedEffect
from ipsevidence.dataset.refusals import nearest

__all__ = ["CHECKS_OF_SOURCES"]

_YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    guess = nearest(name, names)
    return f"{kind} {name} is not in the record; " + (f"nearest: {guess}" if guess else f"there are: {listed(names)}")


@check(
    "id-is-file-name",
    "error",
    rule="The `id` of a record is the name of its file, without `.yaml`.",
    why="A study is found by its id everywhere: in specs, links and results.",
    fix="rename the file, or correct the id",
)
def _id_is_file_name(case: Case) -> Iterator[Problem]:
    if case.study.id != case.stem:
        yield Problem(("id",), f"the id is {case.study.id}, but the file is {excerpt(case.stem)}.yaml")


@check(
    "duplicate-ids",
    "error",
    rule="Arms, outcomes and reports each have an id of their own, and no paper is listed twice under `reports`.",
    why="Readings and sources refer to them by id; with two of the same name the second would never be found.",
    fix="give each its own id, or delete the one that is double",
)
def _duplicate_ids(case: Case) -> Iterator[Problem]:
    study = case.study
    lists = {
        "arms": [arm.id for arm in study.arms],
        "outcomes": [outcome.id for outcome in study.outcomes],
        "reports": [report.id for report in study.reports],
    }
    for name, ids in lists.items():
        yield from _repeated(name, [(index, "id", given) for index, given in enumerate(ids)])
    for key in ("doi", "pmid", "pmcid"):
        values = [(index, key, getattr(report, key)) for index, report in enumerate(study.reports)]
        yield from _repeated("reports", values)


def _repeated(name: str, values: list[tuple[int, str, str | None]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, key, value in values:
        if value is not None and value.lower() in seen:
            yield Problem((name, index, key), f"{key} {excerpt(value)} stands a second time under `{name}`")
        seen.add((value or "").lower())


@check(
    "number-without-source",
    "error",
    rule="Every number has a `basis`, and says under `from` in which source it was read.",
    why="A number that cannot be looked up cannot be corrected.",
    fix="add what is missing; a number that was not read has basis `reconstructed`",
)
def _number_without_source(case: Case) -> Iterator[Problem]:
    for path, number in case.numbers:
        missing = [key for key, value in (("basis", number.basis), ("from", number.from_)) if value is None]
        if missing:
            yield Problem(path, f"the number has no {' and no '.join(f'`{key}`' for key in missing)}")


@check(
    "source-does-not-resolve",
    "error",
    rule="Every `from` names one of the record's `sources`.",
    why="Otherwise nobody can look the number up.",
    fix="correct the name, or add the source under `sources`",
)
def _source_does_not_resolve(case: Case) -> Iterator[Problem]:
    known = case.study.sources
    unknown = {citation.path: citation.source for citation in case.citations if citation.source not in known}
    for path, source in unknown.items():
        yield Problem(path, _unknown("source", source, known))


@check(
    "report-does-not-resolve",
    "error",
    rule="The `report` of a source is one of the record's `reports`.",
    why="The source is cited by its report.",
    fix="correct the id, add the report, or give the publication under `cite`",
)
def _report_does_not_resolve(case: Case) -> Iterator[Problem]:
    known = [report.id for report in case.study.reports]
    for name, source in case.study.sources.items():
        if source.report is not None and source.report not in known:
            yield Problem(("sources", name, "report"), _unknown("report", source.report, known))


@check(
    "arm-does-not-resolve",
    "error",
    rule=(
        "Readings, printed and stated effects, alternatives and fidelity scores name arms of the record; an effect "
        "names two different arms, and a set of alternatives each arm once."
    ),
    why="A number without its arm belongs nowhere.",
    fix="correct the id, or add the arm under `arms`",
)
def _arm_does_not_resolve(case: Case) -> Iterator[Problem]:
    known = [arm.id for arm in case.study.arms]
    for path, name in _arms_named(case):
        if name not in known:
            yield Problem(path, _unknown("arm", name, known))
    for path, effect in _effects(case):
        if effect.of is not None and effect.of == effect.against:
            what = f"the effect is of arm {effect.of} against itself"
            yield Problem((*path, "against"), what, "name the arm it is compared with")
    for index, outcome in enumerate(case.study.outcomes):
        for place, entry in enumerate(outcome.alternatives):
            if len(set(entry.arms)) < len(entry.arms):
                yield Problem(
                    ("outcomes", index, "alternatives", place, "arms"),
                    f"an arm is named twice: {listed(entry.arms)}",
                    "name each arm once",
                )


def _effects(case: Case) -> Iterator[tuple[Path, Published | StatedEffect]]:
    study = case.study
    for index, outcome in enumerate(study.outcomes):
        for place, published in enumerate(outcome.published):
            yield ("outcomes", index, "published", place), published
    for place, published in enumerate(study.published):
        yield ("published", place), published
    for place, stated in enumerate(study.stated):
        yield ("stated", place), stated


def _arms_named(case: Case) -> Iterator[tuple[Path, str]]:
    named: list[tuple[Path, str | None]] = []
    for index, outcome in enumerate(case.study.outcomes):
        path: Path = ("outcomes", index)
        named += [((*path, "readings", place, "arm"), item.arm) for place, item in enumerate(outcome.readings)]
        for place, entry in enumerate(outcome.alternatives):
            named += [((*path, "alternatives", place, "arms", number), arm) for number, arm in enumerate(entry.arms)]
    for path, effect in _effects(case):
        named += [((*path, "of"), effect.of), ((*path, "against"), effect.against)]
    named += [(("fidelity", index, "arm"), item.arm) for index, item in enumerate(case.study.fidelity)]
    return ((place, arm) for place, arm in named if arm is not None)


@check(
    "source-not-read",
    "error",
    rule="What comes from a source of which nothing was read (`read: none`) has basis `reconstructed`.",
    why="Such a number was remembered or guessed, whatever it is called.",
    fix="use basis `reconstructed`, or name the source that was read; if it was read after all, correct `read`",
)
def _source_not_read(case: Case) -> Iterator[Problem]:
    unread = {name for name, source in case.study.sources.items() if source.read == "none"}
    claims = {
        citation.path: citation
        for citation in case.citations
        if citation.source in unread and citation.basis != "reconstructed"
    }
    for path, citation in claims.items():
        claim = f"basis {citation.basis}" if citation.basis else "read"
        yield Problem(path, f"nothing of source {citation.source} was read, but what it is cited for counts as {claim}")


@check(
    "read-against-kind",
    "error",
    rule="Of a source of kind `abstract` no more than the abstract was read; of one of kind `full-text`, more.",
    why="The kind of the source says how far a number can be trusted.",
    fix="correct `kind` or `read`; for an abstract that was not read, `read: none`",
)
def _read_against_kind(case: Case) -> Iterator[Problem]:
    possible = {"abstract": {"abstract", "none"}, "full-text": {"full-text", "part", "none"}}
    for name, source in case.study.sources.items():
        if source.kind in possible and source.read not in possible[source.kind]:
            yield Problem(("sources", name, "read"), f"the kind is {source.kind}, but what was read is {source.read}")


@check(
    "reconstructed-without-wanted",
    "error",
    rule="A record with a number of basis `reconstructed` says under `wanted` where the number should be printed.",
    why="Whoever has the paper can then replace it.",
    fix="add an entry under `wanted` with `what` and `where`",
)
def _reconstructed_without_wanted(case: Case) -> Iterator[Problem]:
    places = [path for path, number in case.numbers if number.basis == "reconstructed"]
    if places and not case.study.wanted:
        numbers = "1 number is" if len(places) == 1 else f"{len(places)} numbers are"
        yield Problem(places[0], f"{numbers} reconstructed, and nothing is wanted")


@check(
    "secondary-only",
    "advice",
    rule="At least one count of a comparative study was read in a report of the study itself.",
    why="Reviews and profiles copy numbers, and copy them wrongly at times.",
    fix="read the study's own abstract or text; until then accept the finding and list the counts under `wanted`",
    acceptable=True,
)
def _secondary_only(case: Case) -> Iterator[Problem]:
    if case.study.design.type in {"single-arm", "routine-service"}:
        return
    kinds: list[str] = []
    first: Path | None = None
    for index, outcome in enumerate(case.study.outcomes):
        for count in counted(outcome, ("outcomes", index)):
            first = first or (*count.path, "events")
            events = count.reading.events
            name = (events.from_ if events is not None else None) or count.reading.from_
            source = case.study.sources.get(name)
            kinds.append(source.kind if source is not None else "unknown")
    if first is not None and set(kinds) == {"secondary"}:
        yield Problem(first, "all counts of the study were read in secondary sources")


@check(
    "untidy-text",
    "advice",
    rule="A text does not start or end with a space, and has single spaces between words.",
    why="Spaces nobody sees make two equal texts different.",
    fix="delete the spaces",
)
def _untidy_text(case: Case) -> Iterator[Problem]:
    for path, text in case.texts:
        body = text.removesuffix("\n")
        if body != body.strip():
            yield Problem(path, f"the text starts or ends with a space: `{excerpt(text)}`")
        elif "  " in body:
            yield Problem(path, f"the text has two spaces in a row: `{excerpt(text[max(text.index('  ') - 20, 0) :])}`")


@check(
    "year-against-citation",
    "error",
    rule="Where the citation of a report holds a year, `year` is among the years it holds.",
    why="The year is typed twice, and analyses order trials by it: a slip in the one shows in the other.",
    fix="look the year up in the paper; where its pages look like years, put the year into the citation too",
    acceptable=True,
)
def _year_against_citation(case: Case) -> Iterator[Problem]:
    for index, report in enumerate(case.study.reports):
        years = list(dict.fromkeys(_YEAR.findall(report.citation or "")))
        if report.year is not None and years and str(report.year) not in years:
            yield Problem(
                ("reports", index, "year"), f"the year is {report.year}, but the citation has {listed(years)}"
            )


CHECKS_OF_SOURCES = (
    _id_is_file_name,
    _duplicate_ids,
    _number_without_source,
    _source_does_not_resolve,
    _report_does_not_resolve,
    _arm_does_not_resolve,
    _source_not_read,
    _read_against_kind,
    _reconstructed_without_wanted,
    _secondary_only,
    _untidy_text,
    _year_against_citation,
)
