"""From what pydantic refuses to plain words with a place and a fix."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from ipsevidence.dataset import shape
from ipsevidence.dataset.findings import excerpt, visible
from ipsevidence.dataset.tree import Mapping, Mark, Node, Scalar, Sequence, is_number, plain, position

__all__ = ["Complaint", "complaints", "confusions", "nearest"]

_MOST = 1000
_LISTED = 30
_LONGEST_GUESS = 40
_MESSAGE = 400

_WHOLE, _NUMBER, _TEXT = "a whole number", "a number", "a text"
_TRUTH, _LIST, _MAPPING = "true or false", "a list", "a mapping of keys to values"
_EXPECTED = {
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "is_instance_of": _NUMBER,
    "decimal_type": _NUMBER,
    "float_type": _NUMBER,
    "string_type": _TEXT,
    "bool_type": _TRUTH,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
# The first sample that a pattern accepts says in words what the pattern means.
_SAMPLES = (
    ("davis-2012", "lower-case letters, digits and hyphens, starting with a letter or digit, at most 60 long"),
    ("2026-11-21", "a date as year-month-day"),
    ("10.1176/appi.ps.201100340", "a DOI without https://doi.org/"),
    ("https://example.org/page", "a web address"),
    ("PMC3456789", "an id of PubMed Central"),
    ("22706890", "digits only"),
)
_RANGES = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}


class Complaint(NamedTuple):
    """What a model has against one place of a file."""

    mark: Mark
    check: str
    what: str
    fix: str


class _Choice(NamedTuple):
    """A union on the path of an error: where, which member was tried, and which there are."""

    path: tuple[str | int, ...]
    member: str
    allowed: shape.Allowed


@dataclass(slots=True)
class _Trace:
    """Where the path of one of pydantic's errors leads, in the tree and in the model."""

    node: Node
    allowed: shape.Allowed
    key: Scalar | None = None
    owner: type[BaseModel] | None = None
    on_key: bool = False
    path: tuple[str | int, ...] = ()
    beyond: list[str | int] = field(default_factory=list)  # parts that the file does not have
    choices: list[_Choice] = field(default_factory=list)  # the unions on the way


def complaints(error: ValidationError, model: type[BaseModel], tree: Mapping) -> list[Complaint]:
    """Say in plain words what a model refused, and where.

    Parameters
    ----------
    error : ValidationError
        What pydantic raised for the plain values of the tree.
    model : type of BaseModel
        The model.
    tree : Mapping
        The tree.

    Returns
    -------
    list of Complaint
        One for each thing that is wrong; the alternatives of a union are told as one.
    """
    index: dict[int, dict[str | int, tuple[Scalar | None, Node]]] = {}
    found: list[tuple[Any, _Trace]] = [
        (problem, _trace(problem["loc"], model, tree, index)) for problem in error.errors(include_url=False)[:_MOST]
    ]
    told = {(problem["type"], problem["loc"][-1:]) for problem, trace in found if not trace.beyond}
    return _tell([(problem, trace) for problem, trace in found if not _is_echo(problem, trace, told)], 0)


def _tell(found: list[tuple[Any, _Trace]], level: int) -> list[Complaint]:
    """Tell errors; those of one union, the level-th on their path, together."""
    result: list[Complaint] = []
    unions: dict[tuple[str | int, ...], dict[str, list[tuple[Any, _Trace]]]] = {}
    for problem, trace in found:
        if len(trace.choices) <= level:
            result.append(_complaint(problem, trace))
        else:
            choice = trace.choices[level]
            unions.setdefault(choice.path, {}).setdefault(choice.member, []).append((problem, trace))
    for path, members in unions.items():
        # a member was meant where the value has its type, and only something in it is wrong
        meant = [
            errors
            for errors in members.values()
            if all(len(trace.path) > len(path) or problem["type"] not in _EXPECTED for problem, trace in errors)
        ]
        if meant:
            result += _tell(min(meant, key=len), level + 1)
        else:
            errors = [error for errors in members.values() for error in errors]
            trace = errors[0][1]
            trace.allowed = trace.choices[level].allowed
            expected = dict.fromkeys(
                _EXPECTED[problem["type"]] for problem, _ in errors if problem["type"] in _EXPECTED
            )
            result.append(_wrong_type(" or ".join(expected), trace))
    return result


def confusions(node: Node, allowed: shape.Allowed, key: Scalar | None = None) -> list[Complaint]:
    """Find values that Python takes for a term of a closed list although they are none: True and 1.0 for 1.

    Parameters
    ----------
    node : Node
        A tree.
    allowed : tuple
        The types it may have.
    key : Scalar, optional
        The key it stands under.

    Returns
    -------
    list of Complaint
        One for each such value.
    """
    if isinstance(node, Scalar):
        value, known = plain(node), shape.terms(allowed)
        alike = [term for term in known if term == value]
        if len(known) < len(allowed) or not alike or type(alike[0]) is type(value):
            return []
        return [_not_in_list({}, _Trace(node, allowed, key))]
    if isinstance(node, Sequence):
        return [
            complaint
            for number, item in enumerate(node.items)
            for complaint in confusions(item, shape.inside(allowed, number), key)
        ]
    model = shape.model_for(allowed, (name.text for name, _ in node.pairs))
    keys = shape.with_number_terms(model) if model is not None else None
    return [
        complaint
        for name, value in node.pairs
        if keys is None or name.text in keys
        for complaint in confusions(value, shape.inside(allowed, name.text), name)
    ]


def _is_echo(problem: Any, trace: _Trace, told: set[tuple[Any, ...]]) -> bool:
    """Tell whether an error only follows from others."""
    if problem["type"] == "too_short" and isinstance(trace.node, Sequence | Mapping):
        # pydantic counts the valid entries only
        return len(_children(trace.node)) >= int(problem["ctx"]["min_length"])
    # A value that a number inherits from what it stands in is told where it stands in the file.
    return bool(trace.beyond) and problem["type"] != "missing" and (problem["type"], problem["loc"][-1:]) in told


def _children(node: Node) -> dict[str | int, tuple[Scalar | None, Node]]:
    if isinstance(node, Mapping):
        return {key.text: (key, value) for key, value in node.pairs}
    return {number: (None, item) for number, item in enumerate(node.items)} if isinstance(node, Sequence) else {}


def _trace(
    loc: tuple[str | int, ...],
    model: type[BaseModel],
    tree: Mapping,
    index: dict[int, dict[str | int, tuple[Scalar | None, Node]]],
) -> _Trace:
    trace = _Trace(tree, (model,))
    for part in loc:
        if part == "[key]":
            trace.on_key = True
        elif len(trace.allowed) > 1:  # the part is pydantic's name for a member of the union
            trace.choices.append(_Choice(trace.path, str(part), trace.allowed))
            trace.allowed = shape.branch(trace.allowed, part)
        else:
            trace.owner = shape.model_for(trace.allowed, ())
            trace.allowed = shape.inside(trace.allowed, part)
            trace.path = (*trace.path, part)
            if id(trace.node) not in index:
                index[id(trace.node)] = _children(trace.node)
            child = None if trace.beyond else index[id(trace.node)].get(part)
            if child is None:
                trace.beyond.append(part)
            else:
                trace.key, trace.node = child[0] or trace.key, child[1]
    return trace


def _complaint(problem: Any, trace: _Trace) -> Complaint:
    kind: str = problem["type"]
    context: dict[str, Any] = problem.get("ctx", {})
    if kind in _EXPECTED and (kind != "is_instance_of" or context.get("class") == "Decimal"):
        return _wrong_type(_EXPECTED[kind], trace)
    if kind in _RANGES:
        name, words = _RANGES[kind]
        what = f"{_name(trace)} must be {words} {context[name]}, but is {_shown(trace.node)}"
        return Complaint(trace.node.mark, "out-of-range", what, "check the number in the source")
    tell = _TELLERS.get(kind)
    return tell(context, trace) if tell else _disagreement(problem, context, trace)


def _disagreement(problem: Any, context: dict[str, Any], trace: _Trace) -> Complaint:
    """Tell what a model's own rule refused; its context may hold the fix, and the key that is at fault."""
    message = visible(str(context["error"]) if "error" in context else str(problem["msg"]))[:_MESSAGE]
    fix = str(context.get("fix") or "change or complete the values so that they agree")
    mark = position(trace.node, tuple(context.get("at", ())))
    return Complaint(mark, str(problem["type"]).replace("_", "-"), message, fix)


def _name(trace: _Trace) -> str:
    return f"`{excerpt(trace.key.text)}`" if trace.key else "this"


def _shown(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping of keys to values"
    if isinstance(node, Sequence):
        return "a list"
    if node.quoted or not (is_number(node.text) or node.text in ("true", "false")):
        return f'the text "{excerpt(node.text)}"'
    return node.text if node.text in ("true", "false") else f"the number {excerpt(node.text)}"


def nearest(word: str, known: "list[str]") -> str:
    """Find the known word that was probably meant.

    Parameters
    ----------
    word : str
        What was typed.
    known : list of str
        What may be typed.

    Returns
    -------
    str
        The most similar known word; empty where none is similar.
    """
    from difflib import get_close_matches

    if len(word) > _LONGEST_GUESS:  # the comparison is quadratic in the length
        return ""
    simple = re.sub(r"[^a-z0-9]+", "-", word.lower())
    spelt = {re.sub(r"[^a-z0-9]+", "-", name.lower()): name for name in reversed(known)}
    found = get_close_matches(simple, spelt, n=1, cutoff=0.6)
    return spelt[found[0]] if found else ""


def _choice(word: str, known: "list[str]", kind: str) -> str:
    guess = nearest(word, known)
    listed = ", ".join(known[:_LISTED]) + (", ..." if len(known) > _LISTED else "")
    return (f"did you mean `{guess}`? " if guess else "") + f"{kind}: {listed}"


def _missing(_: dict[str, Any], trace: _Trace) -> Complaint:
    name = trace.beyond[-1] if trace.beyond else "?"
    if isinstance(name, int):
        what = f"{_name(trace)} needs at least {name + 1} values"
        return Complaint(trace.node.mark, "wrong-length", what, "add what is missing")
    terms = [str(term) for term in shape.terms(trace.allowed)]
    fix = f"add `{name}: ...`" + (f" with one of: {', '.join(terms[:_LISTED])}" if terms else "")
    return Complaint(trace.node.mark, "missing-key", f"the key `{name}` is missing here", fix)


def _unknown_key(_: dict[str, Any], trace: _Trace) -> Complaint:
    text = trace.key.text if trace.key else ""
    known = list(shape.fields(trace.owner)) if trace.owner else []
    mark = trace.key.mark if trace.key else trace.node.mark
    fix = _choice(text, known, "the keys here are")
    return Complaint(mark, "unknown-key", f"`{excerpt(text)}` is not a key here", fix)


def _not_in_list(_: dict[str, Any], trace: _Trace) -> Complaint:
    known = [str(term) for term in shape.terms(trace.allowed)]
    text = trace.node.text if isinstance(trace.node, Scalar) else ""
    what = f"{_name(trace)} must be one of a closed list, but is {_shown(trace.node)}"
    return Complaint(trace.node.mark, "not-in-list", what, _choice(text, known, "the terms are"))


def _wrong_type(expected: str, trace: _Trace) -> Complaint:
    what = f"{_name(trace)} must be {expected}, but is {_shown(trace.node)}"
    return Complaint(trace.node.mark, "wrong-type", what, _type_fix(expected, trace))


def _type_fix(expected: str, trace: _Trace) -> str:
    node = trace.node
    model = shape.model_for(trace.allowed, ())
    fix = f"give {expected}"
    if isinstance(node, Scalar) and (_MAPPING not in expected or _is_number_in_quotes(expected, node)):
        fix = _scalar_fix(expected, node)
    elif isinstance(node, Scalar) and model is not None and "value" in shape.fields(model):
        fix = "write a number without quotes, or {value: ..., from: ..., basis: ...}"
    elif isinstance(node, Mapping) and _LIST in expected:
        fix = "make it an item of a list: `- ` before its first key"
    elif expected == _MAPPING:
        keys = f"; the keys are: {', '.join(shape.fields(model))}" if model is not None else ""
        fix = "write it as {key: value}" + keys
    return fix


def _is_number_in_quotes(expected: str, node: Scalar) -> bool:
    return (_NUMBER in expected or _WHOLE in expected) and is_number(node.text.rstrip("%"))


def _scalar_fix(expected: str, node: Scalar) -> str:
    shown = excerpt(node.text)
    if _is_number_in_quotes(expected, node):
        number = node.text.rstrip("%")
        return f"write it without quotes: {shown}" if number == node.text else f"write the number alone: {number}"
    if _TEXT in expected:
        return f'put it in quotes: "{shown}"'
    return f"put it in square brackets: [{shown}]" if _LIST in expected else f"give {expected}"


def _wrong_form(context: dict[str, Any], trace: _Trace) -> Complaint:
    pattern = str(context["pattern"])
    sample = next(((text, words) for text, words in _SAMPLES if re.search(pattern, text)), None)
    node = trace.key if trace.on_key and trace.key else trace.node
    name = "this key" if trace.on_key else _name(trace)
    fix = f"write {sample[1]}, such as {sample[0]}" if sample else f"it must match {pattern}"
    return Complaint(node.mark, "wrong-form", f"{name} has not the form it must have: {_shown(node)}", fix)


def _wrong_length(context: dict[str, Any], trace: _Trace) -> Complaint:
    node = trace.node
    unit = "characters" if isinstance(node, Scalar) else "entries"
    low, high = context.get("min_length"), context.get("max_length")
    bound = f"at least {low}" if low is not None else f"at most {high}"
    size = len(node.text) if isinstance(node, Scalar) else len(_children(node))
    what = f"{_name(trace)} must have {bound} {unit}, but has {size}"
    fix = "add what is missing" if low is not None else "remove what is too much, or check for a comma inside a number"
    return Complaint(node.mark, "wrong-length", what, fix)


_TELLERS = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "literal_error": _not_in_list,
    "enum": _not_in_list,
    "union_tag_invalid": _not_in_list,
    "string_pattern_mismatch": _wrong_form,
    "too_short": _wrong_length,
    "too_long": _wrong_length,
    "string_too_short": _wrong_length,
    "string_too_long": _wrong_length,
}
