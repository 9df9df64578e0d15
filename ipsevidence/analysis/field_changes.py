"""Which fields differ between two versions of a record, spec or claim: the path of each, with its old and new value."""

import dataclasses
import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

__all__ = ["FieldChange", "field_changes"]

_NAMED_BY: Final = (("id",), ("arm", "kind", "of"), ("what",))
"""What tells the items of a list apart, in the order in which it is tried: the first that all have, and have once."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs.

    Attributes
    ----------
    path : str
        Such as ``outcomes[job].readings[ips count randomised].events``; an item of a list is named by what tells it
        from the others, or by its place, counted from 1.
    before, after : str
        The old and the new value as typed, lists and mappings as JSON; empty where there is none.
    number : bool
        Whether a number changed, appeared or went.
    """

    path: str
    before: str
    after: str
    number: bool


def field_changes(before: Any, after: Any, path: str = "") -> tuple[FieldChange, ...]:
    """Compare two versions of plain data.

    Mappings are compared whatever the order of their keys. Items of lists are matched by their id, or what else names
    them; where nothing does, by the longest common run. A matched list in another order is one change. A number and
    its long form, ``{value: 3}``, are the same. Digits count: 2.1 is not 2.10.

    Parameters
    ----------
    before, after : plain data
        Mappings, sequences, text, numbers, truth values; None for what is not there.
    path : str
        Where in the document they stand.

    Returns
    -------
    tuple of FieldChange
        In the order of the new version, each followed by what went.
    """
    return tuple(_changes(before, after, path))


def _changes(before: Any, after: Any, path: str) -> Iterator[FieldChange]:
    before, after = _long(before, after), _long(after, before)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*after, *before)):
            yield from _changes(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif _is_list(before) and _is_list(after):
        yield from _list_changes(before, after, path)
    elif _written(before) != _written(after):
        number = any(map(_has_number, (before, after)))
        yield FieldChange(path=path, before=_written(before), after=_written(after), number=number)


def _list_changes(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[FieldChange]:
    keys = next((names for names in _NAMED_BY if _tells_apart(names, before) and _tells_apart(names, after)), None)
    if keys is None:
        yield from _aligned(before, after, path)
        return
    old, new = ({_name(keys, item): item for item in items} for items in (before, after))
    for name in dict.fromkeys((*new, *old)):
        yield from _changes(old.get(name), new.get(name), f"{path}[{name}]")
    kept_before, kept_after = [name for name in old if name in new], [name for name in new if name in old]
    if kept_before != kept_after:
        yield FieldChange(
            path=f"{path} (order)", before=", ".join(kept_before), after=", ".join(kept_after), number=False
        )


def _aligned(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[FieldChange]:
    """Compare lists whose items have no names: what both have in the same order is left out."""
    old, new = ([_written(item) for item in items] for items in (before, after))
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for index in range(max(i2 - i1, j2 - j1)):
            i, j = i1 + index, j1 + index
            place = j + 1 if j < j2 else i + 1
            yield from _changes(before[i] if i < i2 else None, after[j] if j < j2 else None, f"{path}[{place}]")


def _tells_apart(keys: tuple[str, ...], items: Sequence[Any]) -> bool:
    """Tell whether every item is a mapping with the first of these keys, and no two agree on all of them."""
    if not all(isinstance(item, Mapping) and keys[0] in item for item in items):
        return False
    return len({_name(keys, item) for item in items}) == len(items)


def _name(keys: tuple[str, ...], item: Any) -> str:
    return " ".join(str(item[key]) for key in keys if key in item)


def _long(value: Any, other: Any) -> Any:
    """Return the long form of a number where the other version is written in it."""
    return {"value": value} if _is_number(value) and isinstance(other, Mapping) and "value" in other else value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _has_number(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_number, value.values()))
    return any(map(_has_number, value)) if _is_list(value) else _is_number(value)


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if _is_number(value) else json.dumps(value, ensure_ascii=False, default=str)
