"""What a person can say of a new record, and how what was typed becomes a value: one error for each mistake."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ipsevidence.dataset import record, vocabulary
from ipsevidence.dataset.findings import excerpt, hidden
from ipsevidence.dataset.refusals import nearest
from ipsevidence.dataset.tree import is_number

__all__ = ["ARM_KEYS", "EFFECT_KEYS", "FIELDS", "READ", "Field", "entry_error", "pairs_of", "tidied", "value_of"]

_DROPPED = re.compile("[\xad\u200b\ufeff]")  # hyphens and spaces of no width that come along from a PDF
_PAIR = re.compile(r"\s*,\s*(?=[a-z]+\s*=)")
_DOI_LINK = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_LONGEST_NUMBER: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that a record is started with.

    Attributes
    ----------
    key : str
        Its name; ``--`` before it makes the option of the command line.
    question : str
        What a person is asked.
    form : str
        What it must be, in words.
    needed : bool
        Whether a record cannot be started without it.
    many : bool
        Whether there may be several.
    terms : dict of str to Term, optional
        The closed list that it is of.
    type : Any
        The type that the record wants; None where anything short will do.
    only : frozenset of str
        The templates that have it; empty for all.
    """

    key: str
    question: str
    form: str
    needed: bool = False
    many: bool = False
    terms: Mapping[str, vocabulary.Term] | None = None
    type: Any = None
    only: frozenset[str] = frozenset()


_SERVICE: Final = frozenset({"service"})
_ANALYSIS: Final = frozenset({"analysis"})
READ: Final = {key: term for key, term in vocabulary.READ.items() if key != "none"}
_YEAR: Final = re.compile(r"(?:19[7-9]|20[0-9])[0-9]")

FIELDS: Final = {
    item.key: item
    for item in (
        Field(key="author", question="First author, family name", form="a name", needed=True),
        Field(
            key="year", question="Year of the main report", form="a year from 1970 to 2099", needed=True, type="year"
        ),
        Field(key="title", question="Title of the report", form="a text"),
        Field(key="doi", question="DOI", form="a DOI such as 10.1176/appi.ps.201100340", type=record.Doi),
        Field(key="pmid", question="PubMed number", form="digits such as 22476305", type=record.Pmid),
        Field(key="url", question="Address where it was read", form="a web address of http or https", type=record.Url),
        Field(key="citation", question="Citation (made of author, title and year without it)", form="a text"),
        Field(key="report", question="Kind of report", form="", terms=vocabulary.REPORT_KIND),
        Field(key="read", question="What lies before you", form="", needed=True, terms=READ),
        Field(key="at", question="Place of the numbers, such as abstract or Table 2", form="a text"),
        Field(key="country", question="Countries", form="", needed=True, many=True, terms=vocabulary.COUNTRY),
        Field(key="design", question="Design", form="", terms=vocabulary.DESIGN),
        Field(key="registration", question="Registration, such as NCT01234567", form="a text"),
        Field(key="group", question="Analysis group", form="", needed=True, terms=vocabulary.ANALYSIS_GROUP),
        Field(key="tag", question="Tags", form="small letters, digits and hyphens", many=True, type=record.Identifier),
        Field(key="illness", question="Severe mental illness", form="", terms=vocabulary.YES_NO),
        Field(key="population", question="Who took part, in a few words", form="a text"),
        Field(key="follow-up", question="Months of follow-up", form="a number of months", type="number"),
        Field(key="participants", question="Printed number of persons", form="a whole number", type="count"),
        Field(
            key="clusters",
            question="Number of clusters",
            form="a whole number",
            type="count",
            only=frozenset({"cluster"}),
        ),
        Field(
            key="icc", question="Intracluster correlation", form="a number", type="number", only=frozenset({"cluster"})
        ),
        Field(key="provider", question="Who provides the service", form="a text", only=_SERVICE),
        Field(key="funder", question="Who pays for the service", form="a text", only=_SERVICE),
        Field(key="region", question="Region", form="a text", only=_SERVICE),
        Field(key="concept", question="What is counted", form="", terms=vocabulary.CONCEPT),
        Field(key="definition", question="How the source defines it", form="a text"),
        Field(key="intervention", question="The intervention, in a few words", form="a text", only=_ANALYSIS),
        Field(key="comparator", question="The comparator, in a few words", form="a text", only=_ANALYSIS),
        Field(key="measure", question="Effect measure: OR, RR or RD", form="a text", only=_ANALYSIS),
        Field(key="months", question="Months from entry", form="a number of months", type="number"),
        Field(key="window", question="When it counts", form="", terms=vocabulary.WINDOW),
    )
}
"""What a record is started with, by key, in the order in which a person is asked."""

ARM_KEYS: Final = ("treatment", "id", "label", "n", "analysed", "events", "percent")
"""What is said of an arm: ``treatment=ips, n=84, percent=46``."""
EFFECT_KEYS: Final = ("measure", "estimate", "low", "high", "level", "p", "of", "against", "adjusted")
"""What is said of a printed effect: ``measure=RR, estimate=1.93, low=1.25, high=2.98``."""


def entry_error(parameter: str, message: str) -> Exception:
    """Return an `InputError`, the error of every value that cannot be used.

    Parameters
    ----------
    parameter, message : str
        Its name, and the message.

    Returns
    -------
    InputError
    """
    from ipsevidence.core import InputError  # loads numpy, which only an error has need of

    return InputError(message, parameter=parameter)


def tidied(text: str) -> str:
    """Return a text as it may stand in a record: composed letters, single ordinary spaces, nothing invisible.

    Parameters
    ----------
    text : str
        As typed or pasted.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If a control or bidirectional character is in it.
    """
    composed = unicodedata.normalize("NFC", _DROPPED.sub("", text))
    spaced = " ".join(composed.split())
    found = next(hidden(spaced), None)
    if found is not None:
        name = f"U+{ord(found.group()):04X}"
        raise entry_error("text", f"a text must have no invisible characters; got {name} in: {excerpt(spaced)}")
    return spaced


def value_of(key: str, text: str) -> str:
    """Return the value of a field as a record has it.

    Parameters
    ----------
    key : str
        The key of the field in `FIELDS`.
    text : str
        As typed.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If it is not what the field wants; the message says what that is.
    """
    field = FIELDS[key]
    value = tidied(text)
    if field.terms is not None:
        folded = {term.lower(): term for term in field.terms}
        if value.lower() in folded:
            return folded[value.lower()]
        guess = nearest(value, list(field.terms))
        known = f"nearest: {guess}" if guess else f"one of {', '.join(field.terms)}"
        raise entry_error(key, f"--{key} must be a term of its list ({known}); got {excerpt(value)}")
    if key == "doi":
        value = _DOI_LINK.sub("", value, count=1)
    if not value or not _has_form(field, value):
        raise entry_error(key, f"--{key} must be {field.form}; got {excerpt(value) or 'nothing'}")
    return value


def _has_form(field: Field, value: str) -> bool:
    if field.type in {"number", "count"}:
        whole = field.type == "count"
        return is_number(value) and len(value) <= 12 and not (whole and not value.isdigit())
    if field.type == "year":
        return _YEAR.fullmatch(value) is not None
    try:
        TypeAdapter(field.type or record.Text).validate_python(value)
    except ValidationError:
        return False
    return True


def pairs_of(text: str, keys: Sequence[str], option: str) -> dict[str, str]:
    """Read what is said of an arm or an effect, such as ``treatment=ips, n=84, percent=46``.

    Parameters
    ----------
    text : str
        Keys with their values; a comma may stand in a value where no key follows it.
    keys : sequence of str
        The keys there are.
    option : str
        The option of the command line, for the error.

    Returns
    -------
    dict of str to str

    Raises
    ------
    InputError
        If it is not such a text, or a key is not known or stands twice.
    """
    pairs: dict[str, str] = {}
    for part in _PAIR.split(tidied(text)):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or key not in keys or key in pairs or not value:
            wanted = f"--{option} must be key=value pairs with commas between, of {', '.join(keys)}"
            raise entry_error(option, f"{wanted}; got {excerpt(part) or 'nothing'}")
        pairs[key] = value
    return pairs
