"""A trial reported on a web form, for people who do not use git: the form's fields, and the record they make.

The form is `.github/ISSUE_TEMPLATE/new-trial.yml`. What it sends is Markdown: a heading for each field, the answer
below it. Anybody may send anything, so an answer is only ever a value: it is checked against its field, and written by
the one writer of records.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, TypeAdapter, ValidationError

from ipsevidence.dataset import record, vocabulary
from ipsevidence.dataset.checks import check_entry
from ipsevidence.dataset.collection import read_entry
from ipsevidence.dataset.findings import Finding, ReadError, excerpt, hidden
from ipsevidence.dataset.reader import SIZE
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.tree import Mapping, Mark, Node, Scalar, Sequence, is_number
from ipsevidence.dataset.writer import canonical

__all__ = ["FIELDS", "PROMISES", "Field", "FormRecord", "record_of_form"]

Kind: TypeAlias = Literal["text", "long", "choice", "count", "number", "months", "share"]

_NOTHING = "_No response_"
_LONGEST = {"text": 500, "long": 4000}
_COUNT = re.compile(r"0|[1-9][0-9]{0,8}")
_TRIALS = ("rct", "pilot-rct", "cluster-rct", "quasi-experimental")
_ALLOCATION = {"rct": "randomised", "pilot-rct": "randomised", "cluster-rct": "cluster-randomised"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the form.

    Attributes
    ----------
    id, label : str
        Its id in the form, and the heading above its answer.
    kind : {'text', 'long', 'choice', 'count', 'number', 'months', 'share'}
        One line, several lines, a term of `choices`, a whole number of persons, a number, a number that is not
        negative, or a count or percent.
    required : bool
        Whether a record cannot be made without it.
    choices : tuple of str
        The terms of a choice.
    form : type or None
        The type of the record that the text must satisfy.
    """

    id: str
    label: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    form: Any = None


def _choice(name: str, label: str, terms: tuple[str, ...], *, required: bool = True) -> Field:
    return Field(id=name, label=label, kind="choice", required=required, choices=terms)


def _of_countries(text: str) -> str:
    unknown = [part.strip() for part in text.split(",") if part.strip() not in vocabulary.COUNTRY]
    if unknown:
        raise ValueError(f"not a code: {unknown[0]}")
    return text


def _arm(number: int, who: str) -> tuple[Field, ...]:
    return (
        _choice(f"treatment-{number}", f"{who}: treatment", tuple(vocabulary.TREATMENT)),
        Field(id=f"name-{number}", label=f"{who}: name in the paper", required=True),
        Field(id=f"n-{number}", label=f"{who}: persons", kind="count", required=True),
        Field(id=f"events-{number}", label=f"{who}: persons with the outcome, or percent", kind="share", required=True),
    )


FIELDS: tuple[Field, ...] = (
    Field(id="author", label="First author", required=True),
    Field(id="year", label="Year", kind="count", required=True),
    Field(id="citation", label="Citation", required=True),
    Field(id="title", label="Title"),
    Field(id="doi", label="DOI", form=record.Doi),
    Field(id="pmid", label="PMID", form=record.Pmid),
    Field(id="url", label="Web address", form=record.Url),
    _choice("read", "What you read", tuple(term for term in vocabulary.READ if term != "none")),
    Field(id="date", label="Date on which you read it", required=True, form=record.Date),
    Field(id="at", label="Place of the numbers in the paper", required=True),
    _choice("design", "Design", _TRIALS),
    Field(id="countries", label="Countries", required=True, form=Annotated[str, AfterValidator(_of_countries)]),
    Field(id="registration", label="Registration"),
    _choice("group", "Population", tuple(vocabulary.ANALYSIS_GROUP)),
    _choice("smi", "Severe mental illness", tuple(vocabulary.YES_NO)),
    Field(id="people", label="Who took part", required=True),
    *_arm(1, "Intervention"),
    *_arm(2, "Comparison"),
    _choice("concept", "Outcome", tuple(vocabulary.CONCEPT)),
    Field(id="definition", label="Outcome as the paper defines it", required=True),
    Field(id="months", label="Months from entry", kind="months", required=True),
    _choice("window", "Over which time", tuple(vocabulary.WINDOW)),
    _choice("of", "Whom the persons count", tuple(vocabulary.DENOMINATOR)),
    _choice("measure", "Printed effect: measure", tuple(vocabulary.PUBLISHED_MEASURE), required=False),
    Field(id="estimate", label="Printed effect: estimate", kind="number"),
    Field(id="low", label="Printed effect: lower limit", kind="number"),
    Field(id="high", label="Printed effect: upper limit", kind="number"),
    Field(id="doubts", label="What you doubt", kind="long"),
    Field(id="notes", label="Anything else", kind="long"),
)
"""The fields of the form, in its order."""

PROMISES = (
    "I read every number above at the place named; none is from memory.",
    "I agree that the data are published under CC BY 4.0.",
)
"""What the form asks to be ticked, under the heading `Before you send`."""

_BOXES = "Before you send"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRecord:
    """What a form came to.

    Attributes
    ----------
    id : str or None
        The id of the study; None where the form does not give one.
    text : str or None
        The record in its canonical form; None where the form cannot be turned into one.
    findings : tuple of Finding
        What is wrong with the form, at its lines; or, where there is a text, what the checks say of the record.
    """

    id: str | None
    text: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    line: int


def record_of_form(body: bytes, *, file: str) -> FormRecord:
    """Turn the body of an issue made by the form into a record.

    Parameters
    ----------
    body : bytes
        The body as GitHub gives it: Markdown in UTF-8, with either kind of line end.
    file : str
        The name that findings give.

    Returns
    -------
    FormRecord
        Nothing is written and nothing is guessed: an answer that does not fit its field is a finding.
    """
    findings: list[Finding] = []
    text = _text(body, file, findings)
    answers = {} if findings else _answers(text, file, findings)
    values = dict(_values(answers, file, findings)) if answers else {}
    if findings:
        return FormRecord(id=None, text=None, findings=tuple(findings))
    study_id = _slug(f"{values['author']}-{values['year']}")
    if study_id is None:
        line = answers["author"].line
        what = f"no id can be made of the name {excerpt(values['author'])} and the year"
        told = Finding(file, line, 1, "error", "wrong-form", what, "write the name with the letters A to Z")
        return FormRecord(id=None, text=None, findings=(told,))
    written = canonical(_tree(_record(values, study_id)), Study)
    try:
        entry = read_entry(written.encode(), f"studies/{study_id}.yaml")
    except ReadError as error:
        return FormRecord(id=study_id, text=None, findings=error.findings)
    return FormRecord(id=study_id, text=written, findings=check_entry(entry))


# -- the body ----------------------------------------------------------------------------------------------------


def _text(body: bytes, file: str, findings: list[Finding]) -> str:
    if len(body) > SIZE:
        fix = "save the body of one issue"
        findings.append(Finding(file, 1, 1, "error", "too-large", f"the form has more than {SIZE:,} bytes", fix))
        return ""
    try:
        return body.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        what = f"the byte 0x{body[error.start]:02x} is not UTF-8"
        findings.append(Finding(file, 1, 1, "error", "not-utf8", what, "save the body of the issue as UTF-8"))
        return ""


def _answers(text: str, file: str, findings: list[Finding]) -> dict[str, _Answer]:
    """Cut the body at the headings of the form, which must stand once each and in its order."""
    labels = [field.label for field in FIELDS] + [_BOXES]
    lines = text.split("\n")
    places = [(at, line[4:].strip()) for at, line in enumerate(lines) if line.startswith("### ")]
    heads = [(at, label) for at, label in places if label in labels]
    if [label for _, label in heads] != labels:
        at, what = _disorder(heads, labels)
        fix = "use the form as it is; an answer may not hold a line that is a heading of the form"
        findings.append(Finding(file, at + 1, 1, "error", "wrong-form", what, fix))
        return {}
    ends = [at for at, _ in heads[1:]] + [len(lines)]
    names = [field.id for field in FIELDS] + [_BOXES]
    return {
        name: _Answer("\n".join(lines[at + 1 : end]).strip(), at + 1)
        for name, (at, _), end in zip(names, heads, ends, strict=True)
    }


def _disorder(heads: list[tuple[int, str]], labels: list[str]) -> tuple[int, str]:
    for (at, label), expected in zip(heads, labels, strict=False):
        if label != expected:
            return at, f"the heading `{label}` stands where `{expected}` should"
    if len(heads) > len(labels):
        return heads[len(labels)][0], f"the heading `{heads[len(labels)][1]}` stands twice"
    return heads[-1][0] if heads else 0, f"the heading `{labels[len(heads)]}` is missing"


# -- the answers -------------------------------------------------------------------------------------------------


def _values(answers: dict[str, _Answer], file: str, findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """Yield the answers that were given, by field; what does not fit its field goes to the findings."""
    for field in FIELDS:
        answer = answers[field.id]
        given = "" if answer.text in (_NOTHING, "None", "N/A") else answer.text
        problem = _problem(field, given) if given else ("missing-key", "has no answer", "answer it") * field.required
        if problem:
            check, what, fix = problem
            findings.append(Finding(file, answer.line, 1, "error", check, f"`{field.label}` {what}", fix))
        elif given:
            yield field.id, " ".join(given.split()) if field.kind != "long" else given
    ticked = answers[_BOXES]
    for promise in PROMISES:
        if not any(line.strip().lower() == f"- [x] {promise}".lower() for line in ticked.text.split("\n")):
            what = f"not ticked: {promise}"
            findings.append(Finding(file, ticked.line, 1, "error", "missing-key", what, "tick it, if it is so"))
    findings.extend(_halves(answers, file))


def _halves(answers: dict[str, _Answer], file: str) -> Iterator[Finding]:
    given = {name for name in ("measure", "estimate", "low", "high") if answers[name].text not in (_NOTHING, "")}
    if given and not ("measure" in given and given & {"estimate", "low"}):
        what = "a printed effect has a measure and an estimate"
        yield Finding(file, answers["measure"].line, 1, "error", "invalid-value", what, "give both, or neither")
    if len(given & {"low", "high"}) == 1:
        what = "one limit of an interval without the other"
        yield Finding(file, answers["low"].line, 1, "error", "invalid-value", what, "give both, or neither")


def _problem(field: Field, given: str) -> tuple[str, str, str] | tuple[()]:
    """Say what keeps an answer from being a value of its field."""
    unseen = next((match for match in hidden(given)), None)
    if unseen is not None:
        return "hidden-character", f"has U+{ord(unseen.group()):04X} in it, which cannot be seen", "type it anew"
    if field.kind != "long" and "\n" in given:
        return "wrong-form", "has several lines", "write it on one line"
    most = _LONGEST.get(field.kind, 40)
    if field.kind != "choice" and len(given) > most:
        return "wrong-length", f"has {len(given)} characters, at most {most} are read", "shorten it"
    if field.kind == "choice" and given not in field.choices:
        return "not-in-list", f"is {excerpt(given)}, not a term of its list", f"one of: {', '.join(field.choices)}"
    if field.form is not None and not _fits(field.form, given):
        return "wrong-form", f"has not the form it must have: {excerpt(given)}", "write it as the form says"
    return _problem_of_number(field.kind, given)


def _problem_of_number(kind: Kind, given: str) -> tuple[str, str, str] | tuple[()]:
    number = given.removesuffix("%").rstrip() if kind == "share" else given
    if kind in ("count", "share") and number == given and not _COUNT.fullmatch(given):
        words = "a whole number" if kind == "count" else "a whole number, or a percent such as 46%"
        return "wrong-type", f"must be {words}, but is {excerpt(given)}", "write the digits only"
    if kind in ("number", "months", "share") and not is_number(number):
        return "wrong-type", f"must be a number, but is {excerpt(given)}", "write digits and a point, such as 1.64"
    if kind in ("months", "share") and number.startswith("-"):
        return "out-of-range", f"cannot be below 0, but is {excerpt(given)}", "check the number in the source"
    return ()


def _fits(form: Any, given: str) -> bool:
    try:
        TypeAdapter(form).validate_python(given)
    except ValidationError:
        return False
    return True


def _slug(text: str) -> str | None:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    author, _, year = found.rpartition("-")
    return found if author and re.fullmatch(r"(19|20)[0-9]{2}", year) and _fits(record.Identifier, found) else None


# -- the record --------------------------------------------------------------------------------------------------

_Plain: TypeAlias = "str | _Number | list[_Plain] | dict[str, _Plain]"


class _Number(str):
    """Digits as typed, to be written without quotes."""

    __slots__ = ()


def _record(values: dict[str, str], study_id: str) -> dict[str, _Plain]:
    links: dict[str, _Plain] = {key: values[key] for key in ("doi", "pmid", "url") if key in values}
    report = {"id": "main", "kind": "journal-article", "citation": values["citation"], "year": _Number(values["year"])}
    kind = "abstract" if values["read"] == "abstract" else "full-text"
    source = {"report": "main", "kind": kind, "read": values["read"], "date": values["date"]}
    countries: list[_Plain] = [part.strip() for part in values["countries"].split(",")]
    design: dict[str, _Plain] = {"type": values["design"], "countries": countries}
    design |= _kept(values, "registration")
    people: dict[str, _Plain] = {
        "analysis_group": values["group"],
        "severe_mental_illness": values["smi"],
        "description": values["people"],
    }
    first, second = values["treatment-1"], values["treatment-2"]
    arms = (first, second if second != first else f"{second}-2")
    allocation = _ALLOCATION.get(values["design"], "not-randomised")
    listed: list[_Plain] = [
        {
            "id": arm,
            "treatment": values[f"treatment-{number}"],
            "allocation": allocation,
            "label": values[f"name-{number}"],
        }
        for number, arm in enumerate(arms, 1)
    ]
    log: dict[str, _Plain] = {
        "date": values["date"],
        "did": "extracted",
        "read": values["read"],
        "note": "by the issue form",
    }
    return {
        "schema": _Number("1"),
        "id": study_id,
        "label": f"{values['author']} {values['year']}",
        "status": "included",
        **_kept(values, "title"),
        "reports": [report | links],
        "sources": {"s1": source | links},
        "design": design,
        "population": people,
        "arms": listed,
        "outcomes": [_outcome(values, arms)],
        **({"doubts": [values["doubts"]]} if "doubts" in values else {}),
        **_kept(values, "notes"),
        "log": [log],
    }


def _kept(values: dict[str, str], *names: str) -> dict[str, _Plain]:
    return {name: values[name] for name in names if name in values}


def _outcome(values: dict[str, str], arms: tuple[str, str]) -> dict[str, _Plain]:
    where: dict[str, _Plain] = {"from": "s1", "basis": "reported", "at": values["at"]}
    months = values["months"]
    readings: list[_Plain] = []
    for number, arm in enumerate(arms, 1):
        size: dict[str, _Plain] = {"of": values["of"], "n": _Number(values[f"n-{number}"])}
        given = values[f"events-{number}"]
        percent = _Number(given.removesuffix("%").rstrip())
        told = {"kind": "count"} | size | {"events": _Number(given)}
        read: dict[str, _Plain] = ({"kind": "percent"} | size | {"percent": percent}) if given != percent else told
        readings.append({"arm": arm} | read | where)
    outcome: dict[str, _Plain] = {
        "id": f"{values['concept']}-{months.replace('.', '-')}m",
        "concept": values["concept"],
        "definition": values["definition"],
        "measured": {"to": _Number(months), "window": values["window"]},
        "readings": readings,
    }
    if "measure" in values:
        effect: dict[str, _Plain] = {"of": arms[0], "against": arms[1], "measure": values["measure"]}
        effect |= {"estimate": _Number(values["estimate"])} if "estimate" in values else {}
        effect |= {"ci": [_Number(values["low"]), _Number(values["high"])]} if "low" in values else {}
        outcome["published"] = [effect | where]
    return outcome


def _tree(value: _Plain) -> Any:
    """Build the tree that the writer takes, and the writer alone decides on quotes."""
    nowhere = Mark(1, 1)
    if isinstance(value, dict):
        return Mapping(tuple((Scalar(key, False, nowhere), _tree(item)) for key, item in value.items()), nowhere)
    if isinstance(value, list):
        items: tuple[Node, ...] = tuple(_tree(item) for item in value)
        return Sequence(items, nowhere)
    return Scalar(str(value), not isinstance(value, _Number), nowhere)
