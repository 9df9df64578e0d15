"""The canonical form: its rules one by one, and that writing and reading are inverse to each other."""

import string
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from ipsevidence.dataset.findings import hidden
from ipsevidence.dataset.reader import SIZE, fetch, parse, plain, read
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.tree import Mapping, Mark, Scalar, Sequence, doubt, is_number
from ipsevidence.dataset.writer import canonical


class Number(BaseModel):
    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    basis: str | None = None
    from_: str = Field(alias="from")
    inputs: "tuple[Number, ...]" = ()


class Entry(BaseModel):
    id: str
    n: Number | int | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    parts: "tuple[Entry, ...]" = ()


class File(BaseModel):
    schema_: Literal[1] = Field(alias="schema")
    id: str
    sources: dict[str, Entry] = {}
    design: Entry | None = None
    entries: Annotated[tuple[Entry, ...] | None, Field(min_length=1)] = None
    notes: str | None = None


def written(text):
    return canonical(parse(text.encode(), file="f"), File)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id: x\nschema: 1\n", "schema: 1\nid: x\n"),
        ("zeta: 1\nalpha: 2\nid: x\n", "id: x\nzeta: 1\nalpha: 2\n"),
        ("{}", "{}\n"),
        ("# a\n\n# b  \nid: x", "# a\n# b\nid: x\n"),
        ("sources: {s2: {note: b, id: x}, s1: {id: z}}", "sources:\n  s2: {id: x, note: b}\n  s1: {id: z}\n"),
        ("sources: {}", "sources: {}\n"),
        ("design:\n  tags:\n  - a\n  - b\n  id: x\n", "design: {id: x, tags: [a, b]}\n"),
        ("entries: [{id: a}, {id: b}]", "entries:\n  - {id: a}\n  - {id: b}\n"),
        ("entries: []", "entries: []\n"),
        (
            "entries: [{parts: [{id: b}], id: a}]",
            "entries:\n  - id: a\n    parts:\n      - {id: b}\n",
        ),
        ("other: [[1, 2], [3, 4]]", "other: [[1, 2], [3, 4]]\n"),
        ("other: [[{a: 1}]]", "other:\n  - - {a: 1}\n"),
        ("n: 1\non_: 2\n'on': 3\n'12': 4", 'n: 1\non_: 2\n"on": 3\n"12": 4\n'),
        ("a: 2.10\nb: -0\nc: true\nd: '2.10'\ne: 'true'", 'a: 2.10\nb: -0\nc: true\nd: "2.10"\ne: "true"\n'),
        ("a: \"plain\"\nb: 'no'\nc: ''", 'a: plain\nb: "no"\nc: ""\n'),
        ("a: OR\nb: [US, 'NO', OR]\nc:\n- US\n- {a: b}\n", 'a: OR\nb: ["US", "NO", "OR"]\nc:\n  - "US"\n  - {a: b}\n'),
        ("a: 76%\nb: 42 + 43\nc: 10.1080/0803.2017", 'a: "76%"\nb: "42 + 43"\nc: 10.1080/0803.2017\n'),
        ("a: http://x.org", 'a: "http://x.org"\n'),
        ('a: "x # y"\nb: x#y', 'a: "x # y"\nb: "x#y"\n'),
        ('a: "say \\"x\\" \\\\ \\n"', 'a: "say \\"x\\" \\\\ \\n"\n'),
    ],
)
def test_rules(text, expected):
    assert written(text) == expected
    assert written(expected) == expected


def test_a_number_always_stands_on_one_line():
    inputs = ", ".join(f"{{value: {number}, from: s{number}}}" for number in range(30))
    text = f"entries:\n  - id: a\n    n: {{value: 2.10, basis: derived, from: s1, inputs: [{inputs}]}}\n"
    assert len(text.splitlines()[2]) > 180
    assert written(text) == text
    ranged = text.replace("value: 2.10", "low: 1, high: 2")
    assert written(ranged) == ranged


def test_what_does_not_fit_into_180_columns_has_one_line_for_each_key():
    line = "design: {id: " + "x" * 159 + ", n: 1}"
    assert len(line) == 180 - 1
    assert written(line + "\n") == line + "\n"
    assert written(line.replace("n: 1", "n: 100")) == "design:\n  id: " + "x" * 159 + "\n  n: 100\n"
    tags = ", ".join(["word"] * 40)
    assert written(f"design: {{id: a, tags: [{tags}]}}").splitlines()[:4] == [
        "design:",
        "  id: a",
        "  tags:",
        "    - word",
    ]


def test_a_long_text_is_folded_at_110_columns():
    words = " ".join(["word"] * 60)
    text = written(f"design: {{id: a, note: {words}}}")
    assert text.splitlines()[:3] == ["design:", "  id: a", "  note: >-"]
    assert max(map(len, text.splitlines())) <= 110
    assert len(text.splitlines()[3]) > 104
    assert written(text) == text
    assert plain(parse(text.encode(), file="f"))["design"]["note"] == words


def test_folding_keeps_paragraphs():
    long = " ".join(["word"] * 20)
    source = f'notes: "{long}\\n{long}\\n\\n{long}"\n'
    text = written(source)
    assert text.startswith("notes: >-\n")
    assert plain(parse(text.encode(), file="f")) == plain(parse(source.encode(), file="f"))


@pytest.mark.parametrize("odd", [" {}", "{} ", "{}\\n", "\\n{}", "{}\\n b", "{} \\n b"])
def test_what_folding_would_change_stays_in_quotes(odd):
    source = 'notes: "' + odd.format(" ".join(["word"] * 40)) + '"\n'
    text = written(source)
    assert text.startswith('notes: "')
    assert plain(parse(text.encode(), file="f")) == plain(parse(source.encode(), file="f"))


def test_several_spaces_survive_folding():
    source = 'notes: "' + "word  " * 40 + 'end"\n'
    assert plain(parse(written(source).encode(), file="f")) == plain(parse(source.encode(), file="f"))


def test_items_of_lists_are_folded_too():
    words = " ".join(["word"] * 40)
    text = written(f"doubts:\n  - {words}\n  - short\n  - {{a: b}}\n")
    assert text.splitlines()[:2] == ["doubts:", "  - >-"]
    assert plain(parse(text.encode(), file="f"))["doubts"][0] == words


def test_hidden_characters_are_escaped():
    tree = Mapping(((node("a").items[0], Scalar("x\u202e\U000e0041\ty", True, Mark(1, 1))),), Mark(1, 1))
    assert canonical(tree, File) == 'a: "x\\u202E\\U000E0041\\ty"\n'
    long = Mapping(((node("a").items[0], Scalar("word " * 40 + "\u202e", True, Mark(1, 1))),), Mark(1, 1))
    assert canonical(long, File).startswith('a: "')


def test_an_unquoted_number_of_too_many_digits_is_text():
    tree = Mapping(((node("a").items[0], Scalar("1" * 20, False, Mark(1, 1))),), Mark(1, 1))
    assert canonical(tree, File) == f'a: "{"1" * 20}"\n'


def test_the_record_of_the_design_is_nearly_its_own_canonical_form():
    """Its canonical form has numbers in the order of their fields, fewer quotes, and a list of mappings as a block."""
    example, expected = (
        (Path(__file__).parent / f"{name}.yaml").read_bytes() for name in ("design", "design_canonical")
    )
    study, tree = read(example, Study, file="studies/davis-2012.yaml")
    assert study.id == "davis-2012"
    assert canonical(tree, Study).encode() == expected
    lines = example.splitlines()
    assert sum(line not in lines for line in expected.splitlines()) == 5


# -- writing and reading are inverse -----------------------------------------------------------------------------

MARK = Mark(1, 1)


def node(value):
    """Build a tree from plain values; a bare text makes a list of one, to take a key from."""
    if isinstance(value, dict):
        return Mapping(tuple((Scalar(key, True, MARK), child(item)) for key, item in value.items()), MARK)
    return Sequence((Scalar(value, True, MARK),), MARK)


def child(value):
    if isinstance(value, dict):
        return node(value)
    if isinstance(value, list):
        return Sequence(tuple(child(item) for item in value), MARK)
    if isinstance(value, bool):
        return Scalar("true" if value else "false", False, MARK)
    return Scalar(str(value), isinstance(value, str), MARK)


NASTY = [
    *(
        "",
        " ",
        "  x",
        "x  ",
        "a: b",
        "a:b",
        "a #b",
        "a#b",
        "#a",
        "- a",
        "-",
        "--- a",
        "...",
        "? a",
        "! a",
        "&a",
        "*a",
        "|",
    ),
    *(
        ">-",
        "%a",
        "@a",
        "`a",
        '"',
        "'",
        "it's",
        'say "x"',
        "\\",
        "\\n",
        "{a}",
        "[a]",
        "a, b",
        "a,b",
        "{",
        "}",
        "yes",
        "NO",
    ),
    *(
        "n",
        "y",
        "null",
        "~",
        "true",
        "False",
        "2026-11-21",
        "12:30",
        "1e3",
        "0x1F",
        "017",
        "1_000",
        "+5",
        ".5",
        "5.",
        "42",
    ),
    *(
        "2.10",
        "-3",
        "٣",
        "−5",
        "é",
        "Ø",
        "日本",
        "😀",
        "a\nb",
        "a\n\nb",
        "\na",
        "a\n",
        "\n",
        "a\n b",
        "x" * 200,
        "=",
        "<<",
    ),
    *(
        "word " * 40,
        ("word " * 40).strip(),
        "a  b " * 40 + "c",
        ("é " * 100).strip(),
        "76%",
        "US",
        "a;b",
        "a?b",
        "http://a.b",
    ),
]
TEXT = (
    st.sampled_from(NASTY)
    | st.lists(st.sampled_from(NASTY), min_size=2, max_size=5).map(" ".join)
    | st.text(max_size=30)
    | st.text(string.printable + "é–“ß", max_size=200)
).filter(lambda text: not any(hidden(text)))
NUMBER = (
    st.integers(-(10**15) + 1, 10**15 - 1)
    | st.decimals(-1000, 1000, places=3).map(lambda number: Decimal(f"{number:.3f}"))
    | st.sampled_from([Decimal("2.10"), Decimal("-0.0")])
)
KEY = st.sampled_from(
    ["value", "low", "on", "n", "no", "12", "null", "id", "note", "schema", "sources", "entries", "a-b_C"]
) | st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64)
VALUE = st.recursive(
    TEXT | NUMBER | st.booleans(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEY, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEY, VALUE, max_size=6))
@example({"note": " ".join(NASTY)})
@example({"note": NASTY, "sources": {"s": {"note": "x" * 200}}})
def test_reading_what_was_written_gives_the_same_values_and_the_same_text(content):
    text = canonical(node(content), File)
    tree = parse(text.encode(), file="f")
    found = plain(tree)
    assert found == content
    assert sorted(map(str, leaves(found))) == sorted(map(str, leaves(content)))  # with the digits: 2.10 is not 2.1
    assert canonical(tree, File) == text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def as_others_read(value):
    if isinstance(value, dict):
        return {key: as_others_read(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_others_read(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


@settings(max_examples=75, deadline=None)
@given(st.dictionaries(KEY, VALUE, max_size=6))
def test_another_yaml_reader_sees_the_same(content):
    assert yaml.safe_load(canonical(node(content), File)) == as_others_read(content)


@settings(deadline=None)
@given(TEXT)
def test_text_without_quotes_is_in_no_doubt(text):
    line = canonical(node({"a": text}), File)
    if line == f"a: {text}\n":
        assert doubt(text) is None
        assert not is_number(text)
    assert yaml.safe_load(canonical(node({"a": [{"b": text}]}), File)) == {"a": [{"b": text}]}


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "studies").glob("[a-z]*.yaml")), ids=lambda path: path.stem
)
def test_shipped_records_survive_their_canonical_form(path):
    tree = parse(fetch(path), file=str(path))
    text = canonical(tree, Study)
    again = parse(text.encode(), file=str(path))
    assert plain(again) == plain(tree)
    assert again.header == tree.header
    assert canonical(again, Study) == text
    assert len(text) < SIZE
