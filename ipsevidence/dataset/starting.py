"""A new record from what a person has in hand: what is not known is left out, and nothing is made up."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from ipsevidence.dataset import record, vocabulary
from ipsevidence.dataset.arithmetic import printed_percent
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.entering import FIELDS, READ, entry_error, tidied, value_of
from ipsevidence.dataset.findings import excerpt
from ipsevidence.dataset.offering import ArmCount, OfferedReadings, offered_readings
from ipsevidence.dataset.refusals import nearest
from ipsevidence.dataset.tree import Mapping as Tree
from ipsevidence.dataset.tree import Mark, Node, Scalar, is_number
from ipsevidence.dataset.tree import Sequence as List
from ipsevidence.dataset.writer import canonical

__all__ = [
    "TEMPLATES",
    "Start",
    "Template",
    "checked_arm",
    "checked_id",
    "id_of",
    "missing_fields",
    "new_analysis",
    "new_record",
    "same_paper",
    "written",
]

_ORDINARY = str.maketrans("øØæÆœŒßłŁđĐðÐþÞı", "oOaAoOslLdDdDtTi")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_SHORT: Final = {"treatment-as-usual": "usual", "supported-employment": "se", "vocational-rehabilitation": "vr"}
_ALLOCATION: Final = {"rct": "randomised", "pilot-rct": "randomised", "cluster-rct": "cluster-randomised"}
_MOST_ARMS: Final = 3  # of a template; that of three arms takes more
_HERE: Final = Mark(1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A kind of study: its design unless another is given, its number of arms, and how each is called in a prompt."""

    key: str
    label: str
    design: str
    arms: tuple[str, ...]


TEMPLATES: Final = {
    item.key: item
    for item in (
        Template(key="two-arm", label="trial of two arms", design="rct", arms=("first arm", "second arm")),
        Template(
            key="three-arm", label="trial of three arms", design="rct", arms=("first arm", "second arm", "third arm")
        ),
        Template(
            key="cluster",
            label="cluster-randomised trial of two arms",
            design="cluster-rct",
            arms=("first arm", "second arm"),
        ),
        Template(key="single-arm", label="study of one group", design="single-arm", arms=("the group",)),
        Template(key="service", label="routine service", design="routine-service", arms=("the service",)),
    )
}
"""What a record can start from, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A record that was started: its id, its text in canonical form, and what to know about it."""

    id: str
    text: str
    remarks: tuple[str, ...]


def id_of(author: str, year: str) -> str:
    """Return the id of a record: the first author's family name and the year, in small plain letters.

    Parameters
    ----------
    author, year : str
        As printed.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the name has no letter that an id may have.

    Examples
    --------
    >>> id_of("Rodríguez Pulido", "2018")
    'rodriguez-pulido-2018'
    """
    plain = unicodedata.normalize("NFKD", author.translate(_ORDINARY)).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain.replace("'", "")))
    if not slug:
        raise entry_error("author", f"the id needs plain letters; give it before the options; got {excerpt(author)}")
    return f"{slug[:50].strip('-')}-{year}"


def missing_fields(template: Template, values: Mapping[str, Sequence[str]], arms: int) -> tuple[str, ...]:
    """Return the options without which a record of this kind cannot be started and that were not given."""
    missing = [f"--{key}" for key, field in FIELDS.items() if field.needed and not values.get(key)]
    if arms < len(template.arms):
        missing.append(f"--arm (given {arms} of {len(template.arms)} times)")
    return tuple(missing)


def new_record(
    template: Template,
    values: Mapping[str, Sequence[str]],
    arms: Sequence[Mapping[str, str]],
    effects: Sequence[Mapping[str, str]] = (),
    *,
    today: str,
    study_id: str | None = None,
) -> Start:
    """Start a record.

    Parameters
    ----------
    template : Template
        The kind of study.
    values : mapping of str to sequence of str
        What is known, by the keys of `FIELDS`; see `missing_fields` for what must be there.
    arms : sequence of mapping
        What is known of each arm, by `ARM_KEYS`.
    effects : sequence of mapping
        Printed effects, by `EFFECT_KEYS`; of the first arm against the second where there are two.
    today : str
        The date, as 2026-11-21.
    study_id : str, optional
        The id, made of author and year without it.

    Returns
    -------
    Start
        The record in canonical form. What was not given is left out, so that `validate` asks for it.

    Raises
    ------
    InputError
        If something needed is missing, all of it named at once, or a value cannot be used.
    """
    missing = missing_fields(template, values, len(arms))
    if missing:
        raise entry_error("new", f"a {template.label} needs {', '.join(missing)}")
    if len(arms) > len(template.arms) < _MOST_ARMS:
        wanted = f"a {template.label} has {len(template.arms)}; for more start from another template"
        raise entry_error("arm", f"--arm must be given once for each arm: {wanted}; got {len(arms)}")
    known = _read(values, _OF_ANALYSES, "a record", several=frozenset(key for key in FIELDS if FIELDS[key].many))
    one = {key: texts[0] for key, texts in known.items()}
    name = checked_id(study_id or id_of(one["author"], one["year"]))
    design = one.get("design", template.design)
    groups = [_Arm.of(arm, _ALLOCATION.get(design, "not-randomised")) for arm in arms]
    ids = _ids(groups)
    remarks = ["status is included; awaiting, excluded and superseded need a status_reason too"]
    parts = {
        "schema": 1,
        "id": name,
        "label": f"{one['author']} {one['year']}",
        "status": "included",
        "title": one.get("title"),
        "reports": [_report(template, one)],
        "sources": {"s1": _source(template, one, today)},
        "design": _design(design, one, known),
        "population": _population(one, known),
        "participants": _participants(design, one, groups),
        "arms": [group.entry(arm_id, one.get("at")) for group, arm_id in zip(groups, ids, strict=True)],
        "service": _service(one),
        "outcomes": _outcomes(design, one, groups, ids, effects, remarks),
        "log": [{"date": today, "did": "extracted", "read": READ[one["read"]].label}],
    }
    return Start(id=name, text=written(parts, record.Study), remarks=tuple(remarks))


_OF_ANALYSES: Final = frozenset({"intervention", "comparator", "measure"})
_SEVERAL_IN_ANALYSES: Final = frozenset({"design", "group", "tag", "concept", "window"})
_IN_ANALYSES: Final = _OF_ANALYSES | _SEVERAL_IN_ANALYSES | {"title", "population", "definition"}


def _read(
    values: Mapping[str, Sequence[str]], foreign: frozenset[str], what: str, *, several: frozenset[str]
) -> dict[str, list[str]]:
    """Return every value as a record has it; refuse what has no place there rather than drop it."""
    given = {key: texts for key, texts in values.items() if texts}
    lost = [f"--{key}" for key in given if key in foreign]
    if lost:
        raise entry_error("new", f"{what} has no place for {', '.join(lost)}")
    twice = [f"--{key}" for key, texts in given.items() if len(texts) > 1 and key not in several]
    if twice:
        raise entry_error("new", f"{what} takes one value of {', '.join(twice)}")
    return {key: [value_of(key, text) for text in texts] for key, texts in given.items()}


def new_analysis(spec_id: str, values: Mapping[str, Sequence[str]], model: type[BaseModel]) -> Start:
    """Start the spec of an analysis.

    Parameters
    ----------
    spec_id : str
        Its id.
    values : mapping of str to sequence of str
        What is known, by the keys of `FIELDS`; the title must be there. Groups and tags narrow the studies.
    model : type of BaseModel
        The model of a spec, for the order of its keys.

    Returns
    -------
    Start
        An exploratory analysis in canonical form. What was not given is left out: `validate` asks for what is needed,
        and `run` writes every default back.

    Raises
    ------
    InputError
        If the title is missing, or a value cannot be used.
    """
    name = checked_id(spec_id)
    if not values.get("title"):
        raise entry_error("new", "an analysis needs --title")
    known = _read(values, frozenset(FIELDS) - _IN_ANALYSES, "an analysis", several=_SEVERAL_IN_ANALYSES)
    one = {key: texts[0] for key, texts in known.items()}
    where = {
        "designs": known.get("design", ["rct", "pilot-rct", "cluster-rct"]),
        "analysis_groups": known.get("group"),
        "tags": known.get("tag"),
    }
    parts = {
        "schema": 1,
        "id": name,
        "title": one["title"],
        "purpose": "exploratory",
        "question": {
            "population": one.get("population"),
            "intervention": one.get("intervention"),
            "comparator": one.get("comparator"),
            "outcome": one.get("definition"),
        },
        "studies": {"where": where},
        "outcome": {"concepts": known.get("concept"), "windows": known.get("window")},
        "effect": {"measure": one.get("measure")},
    }
    return Start(id=name, text=written(parts, model), remarks=())


def checked_id(study_id: str) -> str:
    """Return an id; `InputError` where it is none, so that no path can be made of it that leads elsewhere."""
    if _ID.fullmatch(study_id) is None:
        wanted = "an id must be small letters, digits and hyphens, at most 60, such as harris-2024"
        raise entry_error("id", f"{wanted}; got {excerpt(study_id) or 'nothing'}")
    return study_id


def _report(template: Template, one: Mapping[str, str]) -> dict[str, Any]:
    grey = template.key == "service" and not one.get("doi") and not one.get("pmid")
    made = f"{one['author']}. {one['title'].rstrip('.')}. {one['year']}" if "title" in one else None
    return {
        "id": "main",
        "kind": one.get("report", "report" if grey else "journal-article"),
        "citation": one.get("citation", made),
        "year": int(one["year"]),
        "doi": one.get("doi"),
        "pmid": one.get("pmid"),
        "url": one.get("url"),
    }


def _source(template: Template, one: Mapping[str, str], today: str) -> dict[str, Any]:
    report = _report(template, one)["kind"]
    kinds = {"report": "grey", "web-page": "grey", "registry-entry": "registry"}
    kind = kinds.get(report, "abstract" if one["read"] == "abstract" else "full-text")
    return {
        "report": "main",
        "kind": kind,
        "doi": one.get("doi"),
        "pmid": one.get("pmid"),
        "url": one.get("url"),
        "read": one["read"],
        "date": today,
    }


def _number(text: str | None, at: str | None) -> dict[str, Any] | None:
    return None if text is None else {"value": Decimal(text), "basis": "reported", "from": "s1", "at": at}


def _design(design: str, one: Mapping[str, str], known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "type": design,
        "countries": list(dict.fromkeys(known["country"])),
        "clusters": _number(one.get("clusters"), one.get("at")),
        "icc": _number(one.get("icc"), one.get("at")),
        "follow_up_months": Decimal(one["follow-up"]) if "follow-up" in one else None,
        "registration": one.get("registration"),
    }


def _population(one: Mapping[str, str], known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "analysis_group": one["group"],
        "tags": list(dict.fromkeys(known["tag"])) if "tag" in known else None,
        "severe_mental_illness": one.get("illness"),
        "description": one.get("population"),
    }


def _service(one: Mapping[str, str]) -> dict[str, Any] | None:
    said = {key: one[key] for key in ("funder", "provider", "region") if key in one}
    return {**said, "from": "s1"} if said else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arm:
    """An arm as it was given, its numbers read."""

    treatment: str
    allocation: str
    given_id: str | None
    label: str
    n: int | None
    analysed: int | None
    events: int | None
    percent: str | None

    @classmethod
    def of(cls, given: Mapping[str, str], allocation: str) -> "_Arm":
        treatment = given.get("treatment", "")
        if treatment not in vocabulary.TREATMENT:
            guess = nearest(treatment, list(vocabulary.TREATMENT))
            known = f"nearest: {guess}" if guess else f"one of {', '.join(vocabulary.TREATMENT)}"
            raise entry_error(
                "arm", f"treatment of an --arm must be a term of its list ({known}); got {excerpt(treatment)}"
            )
        return cls(
            treatment=treatment,
            allocation=allocation,
            given_id=checked_id(given["id"]) if "id" in given else None,
            label=tidied(given.get("label", vocabulary.TREATMENT[treatment].label)),
            n=_persons(given, "n"),
            analysed=_persons(given, "analysed"),
            events=_persons(given, "events"),
            percent=_percent(given.get("percent")),
        )

    def entry(self, arm_id: str, at: str | None) -> dict[str, Any]:
        """Return the arm as a record has it."""
        size = None if self.n is None else {"value": self.n, "basis": "reported", "from": "s1", "at": at}
        is_random = self.allocation != "not-randomised"
        return {
            "id": arm_id,
            "treatment": self.treatment,
            "allocation": self.allocation,
            "label": self.label,
            "n_randomised" if is_random else "n_entered": size,
        }

    def count(self, arm_id: str, entrants: str) -> ArmCount:
        """Return what is printed of its outcome; `entrants` is whom n counts where nobody was randomised."""
        whom = "randomised" if self.allocation != "not-randomised" else entrants
        return ArmCount(
            arm=arm_id,
            of="analysed" if self.analysed is not None else whom,
            n=self.analysed if self.analysed is not None else self.n,
            events=self.events,
            percent=self.percent,
        )


def checked_arm(given: Mapping[str, str]) -> None:
    """Raise `InputError` where something that is said of an arm cannot be used; `treatment` must be there."""
    _Arm.of(given, "randomised")


def _persons(given: Mapping[str, str], key: str) -> int | None:
    text = given.get(key)
    if text is None:
        return None
    plain = text.replace(",", "")
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 9 or (key != "events" and int(plain) == 0):
        least = "0 or more" if key == "events" else "1 or more"
        raise entry_error("arm", f"{key} of an --arm must be a whole number, {least}; got {excerpt(text)}")
    return int(plain)


def _percent(text: str | None) -> str | None:
    if text is None:
        return None
    printed = text if "%" in text else f"{text}%"
    value = printed_percent(printed)
    if value is None or value > 100 or len(printed) > 40:
        raise entry_error(
            "arm", f"percent of an --arm must be one percent as printed, such as 46 or 46.4%; got {excerpt(text)}"
        )
    return printed


def _ids(arms: Iterable[_Arm]) -> list[str]:
    ids: list[str] = []
    for arm in arms:
        first = arm.given_id or _SHORT.get(arm.treatment, arm.treatment)
        name, more = first, 2
        while name in ids:
            name, more = f"{first}-{more}", more + 1
        ids.append(name)
    return ids


def _participants(design: str, one: Mapping[str, str], arms: Sequence[_Arm]) -> list[dict[str, Any]] | None:
    is_trial = design in _ALLOCATION
    what = "randomised" if is_trial else "entrants" if design == "routine-service" else "enrolled"
    if "participants" in one:
        printed = _number(one["participants"], one.get("at"))
        return None if printed is None else [{**printed, "what": what}]
    sizes = [arm.n for arm in arms if arm.n is not None]
    if not is_trial or len(sizes) < len(arms):
        return None
    rule = " + ".join(map(str, sizes))
    return [{"value": sum(sizes), "basis": "derived", "from": "s1", "at": one.get("at"), "rule": rule, "what": what}]


def _outcomes(
    design: str,
    one: Mapping[str, str],
    arms: Sequence[_Arm],
    ids: Sequence[str],
    effects: Sequence[Mapping[str, str]],
    remarks: list[str],
) -> list[dict[str, Any]] | None:
    keys = ("concept", "definition", "months", "window")
    has_numbers = any(arm.events is not None or arm.percent is not None for arm in arms)
    if not has_numbers and not effects and not any(key in one for key in keys):
        return None
    printed = [_effect(effect, ids, one.get("at")) for effect in effects]
    entrants = "analysed" if design == "quasi-experimental" else "entrants"
    counts = [arm.count(arm_id, entrants) for arm, arm_id in zip(arms, ids, strict=True)]
    offered = offered_readings(counts, [item for item in map(_published, printed) if item], one.get("at"))
    remarks += offered.remarks
    return [_outcome(one, offered, printed)]


def _outcome(one: Mapping[str, str], offered: OfferedReadings, printed: list[dict[str, Any]]) -> dict[str, Any]:
    concept, months, window = one.get("concept"), one.get("months"), one.get("window")
    name = (concept or "outcome").removesuffix("-employment")
    at_date = "-at" if window == "point" and concept is not None and not concept.endswith("-date") else ""
    return {
        "id": f"{name}{at_date}" + (f"-{months.replace('.', '-')}m" if months else ""),
        "concept": concept,
        "definition": one.get("definition"),
        "measured": {"to": Decimal(months) if months else None, "window": window},
        "readings": list(offered.readings) or None,
        "alternatives": list(offered.alternatives) or None,
        "published": printed or None,
    }


def _effect(given: Mapping[str, str], ids: Sequence[str], at: str | None) -> dict[str, Any]:
    measure = given.get("measure", "")
    if measure not in vocabulary.PUBLISHED_MEASURE:
        terms = ", ".join(vocabulary.PUBLISHED_MEASURE)
        raise entry_error(
            "effect", f"measure of an --effect must be one of {terms}; got {excerpt(measure) or 'nothing'}"
        )
    numbers = {key: _quantity(given, key) for key in ("estimate", "low", "high", "level")}
    if (numbers["low"] is None) != (numbers["high"] is None):
        raise entry_error("effect", "an --effect must have both low and high, or neither")
    sides = {key: given.get(key, ids[place] if len(ids) == 2 else "") for place, key in enumerate(("of", "against"))}
    for key, side in sides.items():
        if side not in ids:
            raise entry_error(
                "effect", f"{key} of an --effect must be an arm ({', '.join(ids)}); got {excerpt(side) or 'nothing'}"
            )
    adjusted = {"yes": True, "no": False, None: None}.get(given.get("adjusted"), "")
    if adjusted == "":
        raise entry_error("effect", f"adjusted of an --effect must be yes or no; got {excerpt(given['adjusted'])}")
    return {
        **sides,
        "measure": measure,
        "estimate": numbers["estimate"],
        "ci": None if numbers["low"] is None else [numbers["low"], numbers["high"]],
        "level": numbers["level"],
        "p": given.get("p"),
        "adjusted": adjusted,
        "from": "s1",
        "basis": "reported",
        "at": at,
    }


def _quantity(given: Mapping[str, str], key: str) -> Decimal | None:
    text = given.get(key)
    if text is None:
        return None
    if not is_number(text) or len(text) > 12:
        raise entry_error(
            "effect",
            f"{key} of an --effect must be a number with its printed digits, such as 1.93; got {excerpt(text)}",
        )
    return Decimal(text)


def _published(effect: Mapping[str, Any]) -> record.Published | None:
    """Return an effect as the checks take it; None where `validate` will refuse it."""
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in effect.items()}
    try:
        return record.Published.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError:
        return None


def written(content: Mapping[str, Any], model: type[BaseModel]) -> str:
    """Write plain values as a file in canonical form.

    Parameters
    ----------
    content : mapping
        Texts, numbers, lists and mappings; a value of None leaves its key out, and so does a mapping of nothing else.
    model : type of BaseModel
        What the file is.

    Returns
    -------
    str
    """
    tree = _node(content)
    assert isinstance(tree, Tree)
    return canonical(tree, model)


def _is_empty(value: Any) -> bool:
    """Tell whether a value says nothing: None, or a mapping of nothing else."""
    return value is None or (isinstance(value, Mapping) and all(map(_is_empty, value.values())))


def _node(value: Any) -> Node:
    if isinstance(value, Mapping):
        kept = ((key, item) for key, item in value.items() if item is not None and not _is_empty(item))
        return Tree(tuple((Scalar(key, False, _HERE), _node(item)) for key, item in kept), _HERE)
    if isinstance(value, (list, tuple)):
        return List(tuple(map(_node, value)), _HERE)
    if isinstance(value, bool):
        return Scalar("true" if value else "false", False, _HERE)
    return Scalar(str(value), isinstance(value, str), _HERE)


def same_paper(dataset: Dataset, values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a sentence for each record that already holds the DOI or PubMed number of a new one."""
    for key in ("doi", "pmid"):
        given = {value_of(key, text).lower() for text in values.get(key, ())}
        for study in dataset:
            if any((getattr(report, key) or "").lower() in given for report in study.reports):
                paper = f"{key} {', '.join(sorted(given))}"
                yield f"{paper} stands in {study.id} already: the same study goes into its record"
