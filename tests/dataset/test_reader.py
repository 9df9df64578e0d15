"""The strict reader: everything it refuses with its place, what it accepts, and that nothing gets past it."""

import builtins
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ipsevidence.dataset import building, reader
from ipsevidence.dataset.findings import hidden
from ipsevidence.dataset.reader import CHECKS, ReadError, fetch, parse, plain, position, read

STUDIES = Path(__file__).parents[2] / "studies"


def findings(data):
    content = data.encode() if isinstance(data, str) else data
    with pytest.raises(ReadError) as caught:
        parse(content, file="studies/x.yaml")
    return caught.value.findings


def places(data):
    return [(found.line, found.column, found.check) for found in findings(data)]


def value(text):
    return plain(parse(text.encode(), file="studies/x.yaml"))


# -- what is accepted --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n", {"a": 1}),
        ("a: 1", {"a": 1}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("a: 1\r\nb: x\r\n", {"a": 1, "b": "x"}),
        ("a: [2.10, true, false, x, '3']\n", {"a": [Decimal("2.10"), True, False, "x", "3"]}),
        ("a: {b: {}, c: []}\n", {"a": {"b": {}, "c": []}}),
        ("a:\n  - b: 1\n    c: 2\n  - d\n", {"a": [{"b": 1, "c": 2}, "d"]}),
        ("a: b#c\n", {"a": "b#c"}),
        ('a: "x # y"\nb: |\n  z # z\n', {"a": "x # y", "b": "z # z\n"}),
        ('a: "no"\nb: \'2026-11-21\'\nc: "42"\n', {"a": "no", "b": "2026-11-21", "c": "42"}),
        ("a: |\n  42\n", {"a": "42\n"}),
        ("a: >-\n  one\n  two\n\n  three\n", {"a": "one two\nthree"}),
        ("n: 1\ny: 2\n'on': 3\n'12': 4\n", {"n": 1, "y": 2, "on": 3, "12": 4}),
        ("a: [1, 64]\nb: [1,x]\nc: [x,1]\nd: ['1',2]\ne: [1,'2']\n", None),
        ("a: Løvvik – 95% CI\n", {"a": "Løvvik – 95% CI"}),
        ('a: "\\u00e9\\n\\\\"\n', {"a": "é\n\\"}),
        ("a: Drake & Bond!\nb: x&y\n", {"a": "Drake & Bond!", "b": "x&y"}),
        ("# first\n\n# second\na: 1\n", {"a": 1}),
        ("? a\n: 1\n", {"a": 1}),
        ("a: b\n  c\n", {"a": "b c"}),
    ],
)
def test_accepted(text, expected):
    found = value(text)
    assert expected is None or found == expected


def test_header_comments_are_kept():
    tree = parse(b"#!x\n\n#  second  \n---\n# third\na: 1\n", file="f")
    assert tree.header == ("#!x", "#  second", "# third")


def test_marks_count_characters_from_1():
    tree = parse("é: 1\n".replace("é", "e").encode() + "b: [é, ü]\n".encode(), file="f")
    assert position(tree, ("b", 1)) == (2, 8)
    assert position(tree, ("b",), key=True) == (2, 1)


# -- what is refused, and where ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, 1, "empty-file")]),
        ("# only a comment\n", [(1, 1, "empty-file")]),
        ("---\n", [(1, 1, "empty-file"), (1, 4, "empty-value")]),
        ("- a\n", [(1, 1, "not-a-mapping")]),
        ("just text\n", [(1, 1, "not-a-mapping")]),
        ("a:\nb: 1\n", [(1, 3, "empty-value")]),
        ("a: {b: , c: ~}\n", [(1, 8, "empty-value"), (1, 13, "empty-value")]),
        ("a: NO\n", [(1, 4, "ambiguous-scalar")]),
        ("a: [no, yes]\nb: on\n", [(1, 5, "ambiguous-scalar"), (1, 9, "ambiguous-scalar"), (2, 4, "ambiguous-scalar")]),
        ("a: 1e-3\n", [(1, 4, "ambiguous-scalar")]),
        ("a: 2,5\n", [(1, 4, "ambiguous-scalar")]),
        ("a: {n: 1,193}\n", [(1, 10, "comma-in-number")]),
        ("a: [1,64, 4,54]\n", [(1, 7, "comma-in-number"), (1, 13, "comma-in-number")]),
        ("a: 1\na: 2\n", [(2, 1, "duplicate-key")]),
        ("a: {b: 1, c: 2, b: 1}\n", [(1, 17, "duplicate-key")]),
        ('on: 1\n"on": 2\n', [(1, 1, "bad-key"), (2, 1, "duplicate-key")]),
        ("true: 1\n12: 1\n1.5: 1\n", [(1, 1, "bad-key"), (2, 1, "bad-key"), (3, 1, "bad-key")]),
        ("а: 1\n", [(1, 1, "bad-key")]),
        ("'': 1\n", [(1, 1, "bad-key")]),
        ("k" * 65 + ": 1\n", [(1, 1, "bad-key")]),
        ("a:\n  ? [b]\n  : 1\n", [(2, 5, "bad-key")]),
        ("a: {{b: 1}: 2}\n", [(1, 5, "bad-key")]),
        ("a: 1\n<<: {b: 2}\n", [(2, 1, "merge-key")]),
        ("a: &x 1\nb: *x\n*x : 2\n", [(1, 4, "anchor"), (2, 4, "alias"), (3, 1, "alias")]),
        ("a: &x\n  b: 1\n", [(1, 4, "anchor")]),
        ("a: *\n", [(1, 5, "alias")]),
        ("a: & b\n", [(1, 5, "anchor")]),
        ("a: !!python/object:os.system x\n", [(1, 4, "tag")]),
        ("a: ! x\nb: !y [z]\n", [(1, 4, "tag"), (2, 4, "tag")]),
        ("a: !x!y z\n", [(1, 4, "tag")]),
        ("a: ![x]\n", [(1, 5, "tag")]),
        ("%YAML 1.1\n---\na: 1\n", [(1, 1, "directive")]),
        ("%YAML 3.0\n---\na: 1\n", [(1, 1, "directive")]),
        ("%TAG !e! tag:x,2000:\n---\na: 1\n", [(1, 1, "directive")]),
        ("%FOO\n---\na: 1\n", [(1, 5, "directive")]),
        ("a: 1\n---\nb: 1\n", [(2, 1, "second-document")]),
        ("a: 1\n...\nb: 2\n", [(3, 1, "syntax")]),
        ("a: 1 # c\n", [(1, 6, "comment")]),
        ("a: 1\n# c\n", [(2, 1, "comment")]),
        ("a: [b, # c\n  d]\n", [(1, 8, "comment")]),
        ("a: | # c\n  # text\n", [(1, 6, "comment")]),
        ("a: |\n  # text\n# c\nb: 1\n", [(3, 1, "comment")]),
        ("--- # c\na: 1\n", [(1, 5, "comment")]),
        ('a: "#" # c # d\n', [(1, 8, "comment")]),
        ("a: [x,#c\n  d]\n", [(1, 7, "comment")]),
        ("\ta: 1\n", [(1, 1, "tab")]),
        ("a:\n  \tb: NO\n", [(2, 3, "tab")]),
        ("a:\tb\nc: NO\n", [(1, 3, "tab"), (2, 4, "ambiguous-scalar")]),
        ("a: x\u200by\nb: NO\n", [(1, 5, "hidden-character"), (2, 4, "ambiguous-scalar")]),
        ("a: \u202ex\n", [(1, 4, "hidden-character")]),
        ("a\u200b: 1\n", [(1, 2, "hidden-character")]),
        ("a: 5\u00a0%\n", [(1, 5, "hidden-character")]),
        ("a: lost \ufffd\n", [(1, 9, "hidden-character")]),
        ("a: 1\rb: 2\n", [(1, 5, "hidden-character")]),
        ("a: 1\u2028b: 2\nc: NO", [(1, 5, "hidden-character")]),
        ("a: 1\u0085b: 2\n", [(1, 5, "hidden-character")]),
        ("a: 1\n\x00b: 2\n", [(2, 1, "hidden-character")]),
        ('a: "\\u202e \\t"\n', [(1, 4, "hidden-character"), (1, 4, "hidden-character")]),
        ("a: b: c\n", [(1, 5, "syntax")]),
        ("a: [1, 2\n", [(1, 9, "syntax")]),
        ("a: {b: 1", [(1, 9, "syntax")]),
        ('a: 1\nb: "x\n', [(2, 4, "syntax")]),
        ('a: "x\n---\nb: 1\n', [(1, 4, "syntax")]),
        ("a: 1\nword\nb: 2\n", [(3, 1, "syntax")]),
        ('a: "x" y\n', [(1, 8, "syntax")]),
        ("a:\n  - b\n  c\n", [(3, 4, "syntax")]),
        ("a: - b\n", [(1, 4, "syntax")]),
        ("a: @b\n", [(1, 4, "syntax")]),
        ('a: "\\q"\n', [(1, 5, "syntax")]),
        ("a: [,]\n", [(1, 5, "syntax")]),
        ('a: "\\ud800"\n', [(1, 7, "syntax")]),
    ],
)
def test_refused_at_its_place(text, expected):
    assert places(text) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a: \xff\n", (1, 4, "not-utf8")),
        (b"a: 1\nb: \xc3\xa9\xe9\n", (2, 5, "not-utf8")),
        (b"a: \xed\xa0\x80\n", (1, 4, "not-utf8")),
        (b"a: \xc0\xaf\n", (1, 4, "not-utf8")),
        (b"\xef\xbb\xbfa: 1\n", (1, 1, "byte-order-mark")),
        ("a: 1\n".encode("utf-16"), (1, 1, "not-utf8")),
        ("a: 1\n".encode("utf-16-be"), (1, 1, "not-utf8")),
        ("a: 1\n".encode("utf-32"), (1, 1, "not-utf8")),
        (b"a: " + b"x" * reader.SIZE, (1, 1, "too-large")),
    ],
)
def test_bytes_refused_before_parsing(data, expected):
    assert places(data) == [expected]


def test_everything_is_told_at_once_in_the_order_of_the_file():
    text = "a: NO\nb: {c: 1e3, c: 2}\nd: x # y\ne: *f\ng: !h i\n"
    assert places(text) == [
        (1, 4, "ambiguous-scalar"),
        (2, 8, "ambiguous-scalar"),
        (2, 13, "duplicate-key"),
        (3, 6, "comment"),
        (4, 4, "alias"),
        (5, 4, "tag"),
    ]


def test_the_place_of_an_unclosed_bracket_is_named():
    assert "opened at 1:4" in findings("a: [1, 2\n")[0].what


def test_only_200_findings_are_shown():
    found = findings("".join(f"k{number}: no\n" for number in range(1000)))
    assert len(found) == 201
    assert found[-1].check == "too-many-findings"
    assert found[199].line == 200


@pytest.mark.parametrize("bomb", ["[", "{", "{a: ", "[? ", "- ", "? ", "a:\n"])
def test_nesting_is_limited(bomb):
    depth = 85_000 if bomb == "a:\n" else 200_000 // len(bomb)
    text = "".join(" " * level + bomb for level in range(600)) if bomb == "a:\n" else bomb * depth
    (found,) = findings(text)
    assert found.check == ("bad-key" if "?" in bomb or bomb == "{" else "too-deep")


def test_the_deepest_nesting_that_is_read():
    assert value("a: " + "[" * 31 + "]" * 31)
    assert places("a: " + "[" * 32 + "]" * 32) == [(1, 35, "too-deep")]


def test_the_number_of_values_is_limited():
    assert value("a: [" + "1, " * 19_000 + "]")
    assert places("a: [" + "1, " * 20_001 + "]") == [(1, 4, "too-many-nodes")]
    assert places("".join(f"k{number}: 1\n" for number in range(10_001))) == [(1, 1, "too-many-nodes")]


def test_messages_show_what_is_hidden_and_cut_what_is_long():
    (found,) = findings("a: 1\n" + "é" * 200 + "\\: 1\n")
    assert "é" * 70 in found.what
    assert "é" * 81 not in found.what
    assert len(findings("a: 1 # " + "x" * 500 + "\n")[0].what) < 120


def test_memory_of_good_words_is_bounded(monkeypatch):
    monkeypatch.setattr(building, "_REMEMBERED", 3)
    for start in (0, 10):
        parse("".join(f"k{number}: w{number}\n" for number in range(start, start + 9)).encode(), file="f")
    parse(b"a: b\n", file="f")
    assert len(building._SETTLED) == 1
    assert value("a: b\n") == {"a": "b"}


def test_without_libyaml_the_reason_is_said(monkeypatch):
    original = builtins.__import__

    def without(name, globals_=None, locals_=None, fromlist=(), level=0):
        if name == "yaml" and "CBaseLoader" in (fromlist or ()):
            raise ImportError("cannot import name 'CBaseLoader'")
        return original(name, globals_, locals_, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="libyaml"):
        parse(b"a: 1\n", file="f")


def test_an_error_of_libyaml_that_has_no_words_of_ours(monkeypatch):
    import yaml

    class Odd:
        def get_event(self):
            raise yaml.YAMLError("something new")

    monkeypatch.setattr(building, "_parser", lambda _: Odd())
    (found,) = findings("a: 1\n")
    assert (found.line, found.column, found.check) == (1, 1, "syntax")
    assert "something new" in found.what


def test_fetch_reads_no_more_than_is_needed_to_refuse(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\n")
    assert fetch(path) == b"a: 1\n"
    with path.open("wb") as stream:
        stream.truncate(50_000_000)
    assert len(fetch(path)) == reader.SIZE + 1


def test_every_check_is_explained():
    for check, rule in CHECKS.items():
        assert check == check.lower()
        assert all(part.endswith(".") for part in rule), check


# -- never anything but a ReadError ------------------------------------------------------------------------------


def outcome(data):
    try:
        told = ()
        plain(parse(data, file="f"))
    except ReadError as error:
        told = error.findings or [None]
    for found in told:
        assert 1 <= found.line <= data.count(b"\n") + 1
        assert found.column >= 1
        assert found.check in CHECKS
        assert found.what
        assert found.fix
        assert not any(hidden(found.what + found.fix))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes(data):
    outcome(data)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_random_text(text):
    outcome(text.encode("utf-8", "surrogatepass"))


PIECES = [
    *"abn12345,.:-[]{}#&*!|>'\"%@`?~=\\ \n\t\r",
    *(
        ": ",
        "- ",
        "\n  ",
        "\n",
        "a: ",
        "{a: ",
        "[1, ",
        "}",
        "]",
        " #",
        "---\n",
        "...\n",
        "no",
        "1e3",
        "\u200b",
        "\u2028",
        "é",
    ),
    *(
        "<<: ",
        "&x ",
        "*x ",
        "!!str ",
        "? ",
        '"',
        "'",
        "|\n",
        ">-\n",
        "%YAML 1.1\n",
        "0x1F",
        "2026-11-21",
        "\xa0",
        "\ue000",
    ),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_random_yaml(text):
    outcome(text.encode())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([piece for piece in PIECES if piece not in "\t\r\u200b\u2028\xa0\ue000"]), max_size=40))
def test_no_text_of_a_file_that_is_read_is_lost(pieces):
    text = "".join(pieces)
    try:
        tree = parse(text.encode(), file="f")
    except ReadError:
        return
    words = []

    def walk(node):
        if isinstance(node, reader.Scalar):
            words.append(node.text)
        elif isinstance(node, reader.Sequence):
            for item in node.items:
                walk(item)
        else:
            for key, child in node.pairs:
                words.append(key.text)
                walk(child)

    walk(tree)
    kept = "".join(words) + "".join(tree.header)
    for letter in "ab12345é":
        if "\\" not in text:
            assert text.count(letter) - 2 * text.count(r"%YAML 1.1") <= kept.count(letter), text


# -- records -----------------------------------------------------------------------------------------------------


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Amount(Strict):
    value: int | Decimal
    from_: str = Field(alias="from")


class Arm(Strict):
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    kind: Literal["ips", "control"]
    n: Annotated[int, Field(ge=0)] | Amount | None = None


class Level(Strict):
    level: Literal[1, 2]
    next: "Level | None" = None


class Trial(Strict):
    schema_: Literal[1] = Field(alias="schema")
    label: Annotated[str, Field(min_length=1, max_length=20)]
    open: bool | None = None
    arms: Annotated[tuple[Arm, ...], Field(min_length=1)]
    ci: tuple[Decimal, Decimal] | None = None
    levels: tuple[Level, ...] = ()
    sources: dict[Annotated[str, Field(pattern=r"^s[0-9]+$")], Amount] = {}

    @model_validator(mode="after")
    def _two(self):
        if self.label == "bad":
            raise PydanticCustomError("not_two", "the label is bad", {"fix": "write good", "at": ("label",)})
        if self.label == "worse":
            raise ValueError("the label is \u202eworse")
        return self


GOOD = "schema: 1\nlabel: x\narms:\n  - {id: a, kind: ips, n: 4}\n"


def refusals(text, model=Trial):
    with pytest.raises(ReadError) as caught:
        read(text.encode(), model, file="f")
    return caught.value.findings


def test_read_gives_the_record_and_its_tree():
    trial, tree = read((GOOD + "ci: [1.10, 2.50]\n").encode(), Trial, file="f")
    assert trial.arms[0].n == 4
    assert [str(bound) for bound in trial.ci] == ["1.10", "2.50"]
    assert position(tree, ("arms", 0, "n")) == (4, 27)


@pytest.mark.parametrize(
    ("text", "place", "check", "what", "fix"),
    [
        (GOOD.replace("label", "lable"), (2, 1), "unknown-key", "`lable`", "did you mean `label`?"),
        (GOOD + "k" * 50 + ": 1\n", (5, 1), "unknown-key", "`kkk", "the keys here are: schema"),
        (GOOD.replace("schema: 1", "schema: true"), (1, 9), "not-in-list", "but is true", "the terms are: 1"),
        (GOOD.replace("schema: 1", "schema: 1.0"), (1, 9), "not-in-list", "the number 1.0", "the terms are: 1"),
        (
            GOOD + "levels: [{level: 2}, {level: 2.00}]\n",
            (5, 30),
            "not-in-list",
            "the number 2.00",
            "the terms are: 1, 2",
        ),
        (
            GOOD + "zzz: 1\n",
            (5, 1),
            "unknown-key",
            "`zzz`",
            "the keys here are: schema, label, open, arms, ci, levels, sources",
        ),
        (GOOD.replace("n: 4", "m: 4"), (4, 24), "unknown-key", "`m`", "id, kind, n"),
        (GOOD.replace("label: x\n", ""), (1, 1), "missing-key", "`label` is missing", "add `label: ...`"),
        (GOOD.replace(", kind: ips", ""), (4, 5), "missing-key", "`kind` is missing", "one of: ips, control"),
        (
            GOOD.replace("ips", "contrl"),
            (4, 19),
            "not-in-list",
            '"contrl"',
            "did you mean `control`? the terms are: ips",
        ),
        (GOOD.replace("schema: 1", "schema: 2"), (1, 9), "not-in-list", "the number 2", "the terms are: 1"),
        (GOOD.replace("id: a", "id: A b"), (4, 10), "wrong-form", '"A b"', "davis-2012"),
        (GOOD.replace("label: x", "label: 42"), (2, 8), "wrong-type", "must be a text, but is the number 42", '"42"'),
        (GOOD.replace("label: x", "label: true"), (2, 8), "wrong-type", "but is true", '"true"'),
        (GOOD.replace("label: x", "label: [x]"), (2, 8), "wrong-type", "but is a list", "give a text"),
        (GOOD.replace("label: x", "label: ''"), (2, 8), "wrong-length", "at least 1 characters", "add"),
        (GOOD.replace("label: x", "label: " + "x" * 30), (2, 8), "wrong-length", "but has 30", "remove"),
        (GOOD + "open: 1\n", (5, 7), "wrong-type", "must be true or false", "give true or false"),
        (GOOD + "open: {}\n", (5, 7), "wrong-type", "is a mapping of keys", "give true or false"),
        (GOOD + "ci: 1.5\n", (5, 5), "wrong-type", "must be a list", "square brackets: [1.5]"),
        (GOOD + "ci: {a: 1.5}\n", (5, 5), "wrong-type", "must be a list", "`- ` before its first key"),
        (GOOD + "ci: [1.5]\n", (5, 5), "wrong-length", "needs at least 2 values", "add"),
        (GOOD + "ci: [1.5, 2.5, 3.5]\n", (5, 5), "wrong-length", "at most 2 entries, but has 3", "comma"),
        (GOOD + 'ci: [1.5, "2.5"]\n', (5, 11), "wrong-type", 'a number, but is the text "2.5"', "without quotes: 2.5"),
        (GOOD + "ci: [1.5, 76%]\n", (5, 11), "wrong-type", "a number", "write the number alone: 76"),
        (GOOD + "sources: {t1: {value: 1, from: a}}\n", (5, 11), "wrong-form", "this key", "must match ^s[0-9]+$"),
        (GOOD + "sources: [a]\n", (5, 10), "wrong-type", "must be a mapping", "{key: value}"),
        (
            GOOD + "sources: {s1: 4}\n",
            (5, 15),
            "wrong-type",
            "must be a mapping",
            "{value: ..., from: ..., basis: ...}",
        ),
        (GOOD + "sources: {s1: []}\n", (5, 15), "wrong-type", "must be a mapping", "the keys are: value, from"),
        ("schema: 1\nlabel: x\narms: []\n", (3, 7), "wrong-length", "at least 1 entries, but has 0", "add"),
        ("schema: 1\nlabel: x\narms: [a]\n", (3, 8), "wrong-type", "must be a mapping", "the keys are: id, kind, n"),
        (GOOD.replace("n: 4", "n: x"), (4, 27), "wrong-type", "a whole number or a mapping of keys", "{value: ..."),
        (GOOD.replace("n: 4", "n: -4"), (4, 27), "out-of-range", "at least 0, but is the number -4", "source"),
        (GOOD.replace("n: 4", "n: {value: 1}"), (4, 27), "missing-key", "`from` is missing", "add"),
        (GOOD.replace("n: 4", "n: {value: x, from: s}"), (4, 35), "wrong-type", "a whole number or a number", "give"),
        (GOOD.replace("label: x", "label: bad"), (2, 8), "invalid-value", "the label is bad", "write good"),
        (GOOD.replace("label: x", "label: worse"), (1, 1), "invalid-value", "the label is \\u202eworse", "agree"),
    ],
)
def test_what_a_model_refuses(text, place, check, what, fix):
    (found,) = [found for found in refusals(text) if found.check == check or found.check != "missing-key"]
    assert (found.line, found.column) == place
    assert found.check == check
    assert what in found.what
    assert fix in found.fix
    assert "pydantic" not in str(found)
    assert "http" not in str(found)


def test_the_parser_and_the_model_tell_at_once_and_each_place_once():
    text = "schema: 1\nlable: x\narms:\n  - {id: NO, kind: ipss, n: 1e3}\n"
    assert [(found.line, found.column, found.check) for found in refusals(text)] == [
        (1, 1, "missing-key"),
        (2, 1, "unknown-key"),
        (4, 10, "ambiguous-scalar"),
        (4, 20, "not-in-list"),
        (4, 29, "ambiguous-scalar"),
    ]


def test_a_record_that_the_model_accepts_is_still_refused_for_its_spelling():
    assert [found.check for found in refusals(GOOD.replace("label: x", "label: NO"))] == ["ambiguous-scalar"]


def test_what_cannot_be_parsed_is_not_validated():
    assert [found.check for found in refusals("a: [")] == ["syntax"]


def test_many_refusals_are_cut():
    arms = "".join("  - {id: A}\n" for _ in range(1000))
    found = refusals(f"schema: 1\nlabel: x\narms:\n{arms}")
    assert len(found) == 201
    assert found[-1].check == "too-many-findings"


@pytest.mark.parametrize("path", sorted(STUDIES.glob("[a-z]*.yaml")), ids=lambda path: path.stem)
def test_shipped_records_parse(path):
    assert parse(fetch(path), file=str(path)).pairs
