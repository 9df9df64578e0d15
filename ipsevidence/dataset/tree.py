"""The tree of a strict YAML file: text, lists and mappings, each with its line and column.

One rule types an unquoted scalar, here and nowhere else: the reader refuses what the rule leaves in doubt, and the
writer puts in quotes what would be.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

__all__ = [
    "KEY_LENGTH",
    "Mapping",
    "Mark",
    "Node",
    "Scalar",
    "Sequence",
    "doubt",
    "is_key",
    "is_number",
    "is_plain_key",
    "plain",
    "position",
]

KEY_LENGTH = 64
"""The longest key, in characters."""


class Mark(NamedTuple):
    """A place in a file, counted from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was typed.

    Attributes
    ----------
    text : str
        The characters, after unquoting.
    quoted : bool
        Whether it stood in quotes or in a block: then it is text, whatever it looks like.
    mark : Mark
        Where it starts.
    """

    text: str
    quoted: bool
    mark: Mark


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list.

    Attributes
    ----------
    items : tuple of Node
        The items in their order.
    mark : Mark
        Where it starts.
    """

    items: "tuple[Node, ...]"
    mark: Mark


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with their values, in their order.

    Attributes
    ----------
    pairs : tuple of (Scalar, Node)
        Key and value.
    mark : Mark
        Where it starts.
    header : tuple of str
        The comment lines above the first key; only the top of a file has any.
    """

    pairs: "tuple[tuple[Scalar, Node], ...]"
    mark: Mark
    header: tuple[str, ...] = ()


Node = Scalar | Sequence | Mapping

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DIGITS = 15
_FIRST_OF_NUMBER = frozenset("-0123456789")

_TRUTH = {"true": True, "false": False}
_YES_OR_NO = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false"))
_EMPTY = frozenset(("", "~", "null"))
_NOT_NUMBERS = frozenset(
    f"{sign}{dot}{word}" for sign in ("", "+", "-") for dot in ("", ".") for word in ("nan", "inf", "infinity")
)
_WORDS = _YES_OR_NO | _EMPTY | _NOT_NUMBERS | {"=", "<<"}
_LONGEST_WORD = max(map(len, _WORDS))

_EMPTY_FIX = "leave the key out; what is not known has no key"
_TEXT_FIX = "put a text in quotes"

# Each form that some reader of YAML 1.1 or 1.2, or a person, takes for a number or a date: what it is, and the fix.
_FORMS = tuple(
    (re.compile(pattern), what, fix)
    for pattern, what, fix in (
        (
            r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ ]+)[0-9]{1,2}:.*)?",
            "is a date to some YAML readers and a text to others",
            "put it in quotes",
        ),
        (
            r"[-+]?[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9_]*)?",
            "is a time, a number to base 60 or a text, by the YAML reader",
            "put it in quotes",
        ),
        (
            r"[-+]?(?:[0-9][0-9_,]*\.?[0-9_]*|\.[0-9][0-9_]*)[eE][-+]?[0-9]+",
            "is a number with an exponent, a text to some YAML readers",
            "write the number out, such as 0.001; or " + _TEXT_FIX,
        ),
        (
            r"[-+]?0(?:[xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)",
            "is a number in another base, or a text, by the YAML reader",
            "write a decimal number; or " + _TEXT_FIX,
        ),
        (
            r"(?=[-+_.]*[0-9])[-+]?[0-9.]*_[0-9_.]*",
            "may or may not be a number: underscores",
            "write the digits only; or " + _TEXT_FIX,
        ),
        (
            r"[-+]?[0-9]+(?:,[0-9]+)+(?:\.[0-9]*)?",
            "may be a decimal comma, or thousands",
            "write a decimal point, and no mark between thousands, such as 2.5 or 1193; or " + _TEXT_FIX,
        ),
        (
            r"[-+]?[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]*)?",
            "may be one number with a mark between thousands, or a text",
            "write the digits only, such as 1193; or " + _TEXT_FIX,
        ),
        (
            r"[-+]?0[0-9]+(?:\.[0-9]*)?",
            "is an octal number, a decimal number or a text, by the YAML reader: it starts with 0",
            "leave the leading zero out; or " + _TEXT_FIX,
        ),
        (r"\+[0-9]+(?:\.[0-9]*)?", "has a plus sign, a text to some YAML readers", "leave the + out; or " + _TEXT_FIX),
        (
            r"[-+]?[0-9]+(?:\.[0-9]*){2,}",
            "is a number to some YAML readers although it has several points",
            "put it in quotes",
        ),
        (
            r"[-+]?(?:\.[0-9]+|[0-9]+\.)",
            "needs a digit on both sides of the point",
            "write it as 0.5 or 5.0; or " + _TEXT_FIX,
        ),
    )
)
# Looks like a number, but with a minus, a point or digits outside ASCII, such as the Lancet's raised point.
_FOREIGN_NUMBER = re.compile(
    r"[-+\u2010-\u2015\u2212\ufe63\uff0d]?(?=[.,\u00b7\u066b\u066c\u2019]*\d)[\d.,\u00b7\u066b\u066c\u2019]+%?"
)
_FOREIGN = (
    "looks like a number but is not written with the digits 0 to 9, `-` and `.`",
    "write it with ordinary digits, a hyphen for minus and a point; or " + _TEXT_FIX,
)
_LONGEST_FORM = 64
_LONG_NUMBER = re.compile(r"[-+0-9._,:]+")


def is_number(text: str) -> bool:
    """Tell whether an unquoted text is a number: ``-?(0|[1-9][0-9]*)``, with or without decimals, of at most 15 digits.

    Parameters
    ----------
    text : str
        The text of an unquoted scalar.

    Returns
    -------
    bool
        True for 42, -3 and 2.10; not for .5, 1e3 or 017.
    """
    return _NUMBER.fullmatch(text) is not None and (len(text) <= _DIGITS or _digits(text) <= _DIGITS)


def _digits(number: str) -> int:
    return len(number) - number.count("-") - number.count(".") - number.startswith(("0.", "-0."))


_KEY = re.compile(rf"[A-Za-z0-9_-]{{1,{KEY_LENGTH}}}")
_SHORT_KEYS = frozenset("nNyY")  # booleans in YAML 1.1, but to no reader in use; n is what a sample size is called


def is_key(text: str) -> bool:
    """Tell whether a text may be a key: letters A to Z, digits, hyphens and underscores, at most 64.

    Parameters
    ----------
    text : str
        The key, after unquoting.

    Returns
    -------
    bool
        False for look-alike letters, too.
    """
    return _KEY.fullmatch(text) is not None


def is_plain_key(text: str) -> bool:
    """Tell whether a text may be a key without quotes.

    Parameters
    ----------
    text : str
        The key.

    Returns
    -------
    bool
        False for `on`, `true` or `12`, which YAML readers take for something else than a text.
    """
    return is_key(text) and (text in _SHORT_KEYS or not (text in _TRUTH or is_number(text) or doubt(text)))


def doubt(text: str) -> tuple[str, str] | None:
    """Say why an unquoted text cannot be left unquoted, if so.

    Parameters
    ----------
    text : str
        The text of an unquoted scalar.

    Returns
    -------
    tuple of (str, str) or None
        What is doubtful and its fix; None where every reader of YAML agrees on the value.
    """
    if len(text) <= _LONGEST_WORD and (found := _doubtful_word(text)):
        return found
    if not text.isascii():
        return _FOREIGN if _FOREIGN_NUMBER.fullmatch(text) else None
    return _doubtful_number(text) if text[0] in "0123456789+-._" else None


def _doubtful_number(text: str) -> tuple[str, str] | None:
    if _NUMBER.fullmatch(text):
        digits = _digits(text)
        if digits <= _DIGITS:
            return None
        what = f"has {digits} digits; beyond {_DIGITS} not every program keeps them"
        return what, f"round it to at most {_DIGITS} digits; or {_TEXT_FIX}"
    if len(text) > _LONGEST_FORM:  # the forms below would take quadratic time on a long run of digits
        return ("is a very long run of digits", _TEXT_FIX) if _LONG_NUMBER.fullmatch(text) else None
    return next(((what, fix) for form, what, fix in _FORMS if form.fullmatch(text)), None)


def _doubtful_word(text: str) -> tuple[str, str] | None:
    word = text.lower()
    if word not in _WORDS or text in _TRUTH:
        return None
    if word in _EMPTY:
        return "is an empty value", _EMPTY_FIX
    if word in _YES_OR_NO:
        what = "is true or false to some YAML readers and a text to others" + (
            ", such as Norway" if text == "NO" else ""
        )
        if word in _TRUTH:
            return what, f'write {word}; or put a text in quotes: "{text}"'
        return what, f'put a text in quotes: "{text}"; or write true or false where the key takes that'
    if word in _NOT_NUMBERS:
        return "is not a finite number", f"{_EMPTY_FIX}; or {_TEXT_FIX}"
    return "has a meaning of its own to some YAML readers", "put it in quotes"


def plain(node: Node, *, sequence: type = list) -> Any:
    """Turn a tree into plain Python values.

    Parameters
    ----------
    node : Node
        A tree from :func:`ipsevidence.dataset.reader.parse`.
    sequence : {list, tuple}, default list
        What lists become.

    Returns
    -------
    dict, list, str, int, Decimal or bool
        Quoted scalars are str. Unquoted ones are int or Decimal where they are a number (a Decimal keeps the digits
        as printed), bool for ``true`` and ``false``, and str otherwise.
    """
    if isinstance(node, Scalar):
        text = node.text
        if node.quoted:
            return text
        if text[:1] in _FIRST_OF_NUMBER and is_number(text):
            return Decimal(text) if "." in text else int(text)
        return _TRUTH.get(text, text)
    if isinstance(node, Mapping):
        return {key.text: plain(value, sequence=sequence) for key, value in node.pairs}
    return sequence([plain(item, sequence=sequence) for item in node.items])


def position(tree: Node, loc: tuple[str | int, ...], *, key: bool = False) -> Mark:
    """Find the place in the file that a path through the plain values leads to.

    Parameters
    ----------
    tree : Node
        The tree of the file.
    loc : tuple of str or int
        Keys and list indices from the top, such as ``("arms", 0, "label")``. Parts that do not exist in the tree are
        passed over: names of union members, and keys that are missing.
    key : bool, default False
        Give the place of the last key that was found, not of its value.

    Returns
    -------
    Mark
        The place of the deepest node on the path that exists.
    """
    node, mark = tree, tree.mark
    for part in loc:
        if isinstance(node, Mapping):
            for name, value in node.pairs:
                if name.text == part:
                    node, mark = value, name.mark if key else value.mark
                    break
        elif isinstance(node, Sequence) and isinstance(part, int) and -1 < part < len(node.items):
            node = node.items[part]
            mark = node.mark
    return mark
