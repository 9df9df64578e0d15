"""What a pydantic model allows at a place: its keys, and the types and terms of their values."""

import types
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["Allowed", "branch", "fields", "inside", "is_model", "members", "model_for", "terms", "with_number_terms"]

Allowed = tuple[Any, ...]
"""The types of which a value must have one; empty where that is not known."""

_LITERAL: Any = Literal
_UNIONS = (Union, types.UnionType)
_LISTS = (tuple, list, set, frozenset, Sequence)
_DICTS = (dict, Mapping)


def is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    """Tell whether an annotation is a pydantic model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def members(annotation: Any) -> Allowed:
    """Unwrap an annotation to the types it stands for.

    Parameters
    ----------
    annotation : Any
        Such as ``Annotated[Number, ...] | None``.

    Returns
    -------
    tuple
        The members of a union, without None; the annotation itself otherwise.
    """
    if hasattr(annotation, "__value__"):  # type X = ...
        return members(annotation.__value__)
    origin: Any = get_origin(annotation)
    if origin is Annotated:
        return members(get_args(annotation)[0])
    if origin in _UNIONS:
        return tuple(member for part in get_args(annotation) for member in members(part))
    return () if annotation in (None, types.NoneType, Any) else (annotation,)


@cache
def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """List the keys of a model as a file spells them, in their order.

    Parameters
    ----------
    model : type of BaseModel
        The model.

    Returns
    -------
    dict of str to FieldInfo
        By alias where a field has one.
    """
    return {field.alias or name: field for name, field in model.model_fields.items()}


def inside(allowed: Allowed, part: str | int) -> Allowed:
    """Step from the types of a value to those of what it holds.

    Parameters
    ----------
    allowed : tuple
        The types of the list or mapping.
    part : str or int
        The key or index.

    Returns
    -------
    tuple
        The types of the value there.
    """
    found: list[Any] = []
    for annotation in allowed:
        if is_model(annotation):
            field = fields(annotation).get(str(part))
            found += members(field.annotation) if field else ()
            continue
        args = get_args(annotation)
        origin: Any = get_origin(annotation)
        if origin in _DICTS and isinstance(part, str):
            found += members(args[1])
        elif origin is tuple and isinstance(part, int) and Ellipsis not in args:
            found += members(args[part]) if part < len(args) else ()
        elif origin in _LISTS and isinstance(part, int):
            found += members(args[0])
    return tuple(found)


def branch(allowed: Allowed, label: str | int) -> Allowed:
    """Choose the member of a union by the label that pydantic gives it in an error's path.

    Parameters
    ----------
    allowed : tuple
        The members.
    label : str or int
        A model's name, the tag of a tagged union, or a type such as ``list[int]``.

    Returns
    -------
    tuple
        The one member, or nothing where the label names none.
    """
    for annotation in allowed:
        if is_model(annotation) and (annotation.__name__ == label or label in _tags(annotation)):
            return (annotation,)
        origin: Any = get_origin(annotation)
        if origin in _LISTS + _DICTS and str(label).startswith(f"{origin.__name__.lower()}["):
            return (annotation,)
    return ()


def _tags(model: type[BaseModel]) -> set[Any]:
    return {term for field in fields(model).values() for term in terms(members(field.annotation))}


def terms(allowed: Allowed) -> tuple[Any, ...]:
    """List the terms of a closed list.

    Parameters
    ----------
    allowed : tuple
        The types of a value.

    Returns
    -------
    tuple
        The values of every ``Literal`` among them.
    """
    return tuple(term for annotation in allowed if get_origin(annotation) is _LITERAL for term in get_args(annotation))


def model_for(allowed: Allowed, keys: Iterable[str]) -> type[BaseModel] | None:
    """Choose the model that a mapping with these keys is meant to be.

    Parameters
    ----------
    allowed : tuple
        The types of the value.
    keys : iterable of str
        The keys it has.

    Returns
    -------
    type of BaseModel or None
        The model that knows most of the keys, the first of equals; None where no model is allowed.
    """
    present = set(keys)
    models = [annotation for annotation in allowed if is_model(annotation)]
    return max(models, key=lambda model: len(present & fields(model).keys()), default=None)


@cache
def with_number_terms(model: type[BaseModel]) -> frozenset[str]:
    """List the keys of a model that hold, at any depth, a closed list with a term that is not a text.

    Parameters
    ----------
    model : type of BaseModel
        The model.

    Returns
    -------
    frozenset of str
        The keys, as a file spells them.
    """
    return frozenset(key for key, field in fields(model).items() if _has_number_terms(field.annotation, {model}))


def _has_number_terms(annotation: Any, seen: set[Any]) -> bool:
    for member in members(annotation):
        if any(not isinstance(term, str) for term in terms((member,))):
            return True
        inner = [field.annotation for field in fields(member).values()] if is_model(member) else get_args(member)
        if member not in seen and get_origin(member) is not _LITERAL:
            seen.add(member)
            if any(_has_number_terms(part, seen) for part in inner):
                return True
    return False
