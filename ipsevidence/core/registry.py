"""The record of a method, and the one way to look a method up by its key."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ipsevidence.core.inputs import InputError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One choice a caller can make.

    Attributes
    ----------
    key : str
        What the caller writes.
    label : str
        What tables and menus show.
    function : callable
        What does the work.
    reference : str
        Where the method comes from; empty where no source is needed.
    sentence : str
        What the choice contributes to a methods section, in the past tense; empty where nothing.
    """

    key: str
    label: str
    function: Callable[..., Any]
    reference: str
    sentence: str


MethodT = TypeVar("MethodT", bound=Method)
EntryT = TypeVar("EntryT")


def registry(*methods: MethodT) -> dict[str, MethodT]:
    """Return the methods by key, in the order given."""
    return {method.key: method for method in methods}


def choose(parameter: str, key: Any, methods: Mapping[str, EntryT]) -> EntryT:
    """Return the entry that `key` names, of a registry of methods or of any other mapping.

    Parameters
    ----------
    parameter : str
        Name of the parameter, for the error.
    key : str
        What the caller wrote.
    methods : mapping of str to Method
        The registry to look in.

    Returns
    -------
    Method

    Raises
    ------
    InputError
        If there is no such key; the message lists the keys and the nearest one.
    """
    if isinstance(key, str) and key in methods:
        return methods[key]
    near = difflib.get_close_matches(str(key).lower(), {k.lower(): k for k in methods}, n=1, cutoff=0.5)
    hint = next((f" (nearest: {k!r})" for k in methods if near and k.lower() == near[0]), "")
    keys = ", ".join(repr(k) for k in methods)
    raise InputError(f"{parameter} must be one of {{{keys}}}; got {key!r}{hint}", parameter=parameter)
