"""The one canonical form of a file: same content, same bytes.

A number and its source stay together on one line, so that a change of either is one line of a diff.
"""

import re

from pydantic import BaseModel

from ipsevidence.dataset import shape
from ipsevidence.dataset.findings import hidden
from ipsevidence.dataset.tree import Mapping, Node, Scalar, Sequence, doubt, is_number, is_plain_key

__all__ = ["canonical"]

_LINE = 180  # a mapping or list that fits into this stands on one line
_FOLDED = 120  # a longer text is folded
_TEXT_LINE = 110
_NUMBER_KEYS = frozenset(("value", "low", "high"))

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
# What no YAML reader of any age takes for more than text, in a block and in brackets.
_SAFE = re.compile(r"[^\W_](?:[^:,\[\]{}#\"?\\`\n]*[^:,\[\]{}#\"?\\`\s])?")
_DOI = re.compile(r"10\.[0-9]{4,9}/.+")
_CODE = re.compile(r"[A-Z]{2}")
_BREAK = re.compile(r"(?<! ) (?! )")


def canonical(tree: Mapping, model: type[BaseModel]) -> str:
    """Write a tree in its canonical form.

    Keys stand in the order of the model's fields; keys that the model does not know keep their order behind them. A
    mapping, or a list without mappings, stands on one line in braces or brackets where it fits into 180 columns and
    holds no list of mappings; a number (a mapping with `value`, `low` or `high`) always does; all else has one line for
    each key or item. Text is quoted only where some YAML reader could take it for something else, or where it
    has no letter (such as 76%) or is a code of two capital letters in a list; long text is folded.

    Parameters
    ----------
    tree : Mapping
        A tree from :func:`ipsevidence.dataset.reader.parse`.
    model : type of BaseModel
        What the file is.

    Returns
    -------
    str
        The text of the file, with one line feed at the end. Reading it gives the same values, and writing those gives
        the same text.
    """
    lines = list(tree.header)
    for key, node, allowed in _ordered(tree, (model,)):
        if isinstance(node, Mapping) and node.pairs and all(isinstance(value, Mapping) for _, value in node.pairs):
            lines.append(f"{_key(key.text)}:")
            lines += _block(node, allowed, 2)
        else:
            lines += _entry(f"{_key(key.text)}:", node, allowed, 0)
    return "\n".join(lines if tree.pairs else [*lines, "{}"]) + "\n"


def _ordered(mapping: Mapping, allowed: shape.Allowed) -> list[tuple[Scalar, Node, shape.Allowed]]:
    """List the pairs in the order of the model, each with what is allowed as its value."""
    model = shape.model_for(allowed, (key.text for key, _ in mapping.pairs))
    pairs = mapping.pairs
    if model is not None:
        allowed = (model,)
        rank = {name: number for number, name in enumerate(shape.fields(model))}
        pairs = tuple(sorted(pairs, key=lambda pair: rank.get(pair[0].text, len(rank))))
    return [(key, value, shape.inside(allowed, key.text)) for key, value in pairs]


def _entry(head: str, node: Node, allowed: shape.Allowed, indent: int) -> list[str]:
    """Write a value behind its key or dash: on the same line, or as a block below it."""
    start = " " * indent + head
    if isinstance(node, Scalar):
        folded = _fold(node, indent + 2)
        return [f"{start} >-", *folded] if folded else [f"{start} {_scalar(node, listed=head == '-')}"]
    if not _must_be_block(node):
        line = f"{start} {_flow(node, allowed)}"
        if len(line) <= _LINE or _is_number(node) or not _children(node):
            return [line]
    lines = _block(node, allowed, indent + 2)
    # A list item starts on the line of its dash; the value of a key on the next line.
    return [start + " " + lines[0][indent + 2 :], *lines[1:]] if head == "-" else [start, *lines]


def _block(node: Mapping | Sequence, allowed: shape.Allowed, indent: int) -> list[str]:
    if isinstance(node, Mapping):
        return [
            line
            for key, value, inner in _ordered(node, allowed)
            for line in _entry(f"{_key(key.text)}:", value, inner, indent)
        ]
    return [
        line
        for number, item in enumerate(node.items)
        for line in _entry("-", item, shape.inside(allowed, number), indent)
    ]


def _flow(node: Node, allowed: shape.Allowed) -> str:
    if isinstance(node, Mapping):
        pairs = (f"{_key(key.text)}: {_flow(value, inner)}" for key, value, inner in _ordered(node, allowed))
        return "{" + ", ".join(pairs) + "}"
    if isinstance(node, Sequence):
        items = (
            _scalar(item, listed=True) if isinstance(item, Scalar) else _flow(item, shape.inside(allowed, number))
            for number, item in enumerate(node.items)
        )
        return "[" + ", ".join(items) + "]"
    return _scalar(node)


def _children(node: Mapping | Sequence) -> tuple[Node, ...]:
    return tuple(value for _, value in node.pairs) if isinstance(node, Mapping) else node.items


def _is_number(node: Node) -> bool:
    return isinstance(node, Mapping) and any(key.text in _NUMBER_KEYS for key, _ in node.pairs)


def _must_be_block(node: Node) -> bool:
    """Tell whether a node holds a list of mappings, outside of numbers."""
    if isinstance(node, Scalar) or _is_number(node):
        return False
    children = _children(node)
    if isinstance(node, Sequence) and any(isinstance(child, Mapping) for child in children):
        return True
    return any(_must_be_block(child) for child in children)


def _scalar(node: Scalar, *, listed: bool = False) -> str:
    if not _is_text(node):
        return node.text
    # In a list of countries NO must have quotes; it should not be the only one.
    return _quoted(node.text) if listed and _CODE.fullmatch(node.text) else _text(node.text)


def _is_text(node: Scalar) -> bool:
    return node.quoted or not (is_number(node.text) or node.text in ("true", "false"))


def _text(text: str) -> str:
    """Write a text on one line, in quotes where they are needed."""
    if (
        _SAFE.fullmatch(text)
        and (any(character.isalpha() for character in text) or _DOI.fullmatch(text))
        and text not in ("true", "false")
        and doubt(text) is None
        and not any(hidden(text))
    ):
        return text
    return _quoted(text)


def _key(text: str) -> str:
    return text if is_plain_key(text) else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(character) or _escape(character) for character in text) + '"'


def _escape(character: str) -> str:
    if not any(hidden(character)):
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _fold(node: Scalar, indent: int) -> list[str]:
    """Fold a long text to lines; nothing where it is short, or where folding would change it."""
    text = node.text
    if len(text) <= _FOLDED or not _is_text(node) or any(hidden(text)) or text != text.strip("\n"):
        return []
    if any(line != line.strip(" ") for line in text.split("\n")):
        return []
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        lines += ["", *_wrap(line, indent)] if number and line else _wrap(line, indent)
    return lines if len(lines) > 1 else []


def _wrap(line: str, indent: int) -> list[str]:
    """Break a line at single spaces; an empty line stays one."""
    margin = " " * indent
    lines: list[str] = []
    current = ""
    for word in _BREAK.split(line):
        if current and indent + len(current) + 1 + len(word) > _TEXT_LINE:
            lines.append(margin + current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    return [*lines, margin + current if current else ""]
