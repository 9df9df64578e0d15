"""What a model allows at a place."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from ipsevidence.dataset.shape import branch, fields, inside, is_model, members, model_for, terms


class Leaf(BaseModel):
    kind: Literal["leaf"]
    value: int
    from_: str = Field(alias="from")


class Branch(BaseModel):
    kind: Literal["branch"]
    leaves: tuple[Leaf, ...]
    named: dict[str, Leaf]
    pair: tuple[int, Leaf]
    listed: list[Leaf] | None = None


class Alias:
    """Stands for what `type X = ...` makes in Python 3.12."""

    __value__ = Annotated[Leaf | Branch, Field(discriminator="kind")]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, (int,)),
        (int | None, (int,)),
        (Annotated[int | Decimal, Field(ge=0)] | None, (int, Decimal)),
        (Alias(), (Leaf, Branch)),
        (Any, ()),
        (None, ()),
    ],
)
def test_members(annotation, expected):
    assert members(annotation) == expected


def test_fields_go_by_the_name_a_file_uses():
    assert list(fields(Leaf)) == ["kind", "value", "from"]


@pytest.mark.parametrize(
    ("allowed", "part", "expected"),
    [
        ((Leaf,), "from", (str,)),
        ((Leaf,), "nothing", ()),
        ((Leaf, Branch), "value", (int,)),
        ((tuple[Leaf, ...],), 3, (Leaf,)),
        ((list[Leaf],), 0, (Leaf,)),
        ((tuple[int, Leaf],), 1, (Leaf,)),
        ((tuple[int, Leaf],), 2, ()),
        ((dict[str, Leaf],), "x", (Leaf,)),
        ((dict[str, Leaf],), 1, ()),
        ((list[Leaf],), "x", ()),
        ((int,), 0, ()),
        ((), "x", ()),
    ],
)
def test_inside(allowed, part, expected):
    assert inside(allowed, part) == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Leaf", (Leaf,)),
        ("branch", (Branch,)),
        ("list[Leaf]", (list[Leaf],)),
        ("dict[str,Leaf]", (dict[str, Leaf],)),
        ("int", ()),
    ],
)
def test_branch_of_a_union(label, expected):
    assert branch((int, Leaf, Branch, list[Leaf], dict[str, Leaf]), label) == expected


def test_the_model_that_was_meant():
    assert model_for((int, Leaf, Branch), ["kind", "leaves"]) is Branch
    assert model_for((Leaf, Branch), []) is Leaf
    assert model_for((int,), ["kind"]) is None


def test_terms_and_models():
    assert terms((Literal["a", "b"], int, Literal["c"])) == ("a", "b", "c")
    assert is_model(Leaf)
    assert not is_model(int)
    assert not is_model(list[Leaf])
