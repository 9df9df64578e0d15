"""Damage to a record's file, by seed: what slips of the hand, odd programs and hostile people do to it.

`damage(data, seed)` gives a damaged copy and says what was done and what may come of it:

- ``refused``: reading it must give findings;
- ``digits``: one number's own digits were changed, which no reader can know: refused, or only that number differs;
- ``removed``: something was cut out: refused, or the rest is as it was;
- ``text``: it reads as before but for free text, or is refused;
- ``same``: it reads as before, or is refused;
- ``random``: one character was changed anywhere: refused, or free text, or the digits of one number, differ.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ipsevidence.dataset.reader import Mapping, Node, Scalar, Sequence, parse
from ipsevidence.dataset.tree import is_number

Change = tuple[str | bytes, str]


@dataclass(frozen=True)
class Damage:
    """A damaged copy of a file."""

    data: bytes
    kind: str
    what: str
    outcome: str


@dataclass(frozen=True)
class Spot:
    """A scalar of the file: where it starts and ends, and the keys that lead to it."""

    start: int
    end: int
    node: Scalar
    path: tuple[str | int, ...]


class Site:
    """A record's text and the places in it."""

    def __init__(self, data: bytes) -> None:
        self.text = data.decode()
        self.keys: list[Spot] = []
        self.values: list[Spot] = []
        starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        self._offset = lambda mark: starts[mark.line - 1] + mark.column - 1
        self._walk(parse(data, file="record.yaml"), ())

    def _walk(self, node: Node, path: tuple[str | int, ...]) -> None:
        if isinstance(node, Scalar):
            start = self._offset(node.mark)
            quoted = (
                re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'').match(self.text, start) if node.quoted else None
            )
            end = quoted.end() if quoted else start + len(node.text)
            if quoted or self.text[start:end] == node.text:  # not folded text
                self.values.append(Spot(start, end, node, path))
        elif isinstance(node, Mapping):
            for key, value in node.pairs:
                start = self._offset(key.mark)
                self.keys.append(Spot(start, start + len(key.text), key, (*path, key.text)))
                self._walk(value, (*path, key.text))
        elif isinstance(node, Sequence):
            for number, item in enumerate(node.items):
                self._walk(item, (*path, number))

    @cached_property
    def numbers(self) -> list[Spot]:
        return [spot for spot in self.values if not spot.node.quoted and is_number(spot.node.text)]

    @cached_property
    def fields(self) -> list[Spot]:
        """The keys whose names the format gives: not the names of the sources."""
        return [spot for spot in self.keys if not (len(spot.path) == 2 and spot.path[0] == "sources")]

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines(keepends=True)

    def put(self, spot: Spot, new: str) -> str:
        return self.text[: spot.start] + new + self.text[spot.end :]


Mutator = Callable[[Site, random.Random], Change | None]
KINDS: dict[str, tuple[str, Mutator]] = {}


def kind(name: str, outcome: str) -> Callable[[Mutator], Mutator]:
    def register(function: Mutator) -> Mutator:
        KINDS[name] = (outcome, function)
        return function

    return register


def damage(data: bytes, seed: int) -> Damage:
    """Damage a record: the seed gives the kind (they take turns) and the place.

    Parameters
    ----------
    data : bytes
        A record that can be read.
    seed : int
        Any whole number.

    Returns
    -------
    Damage
        The same for the same record and seed.
    """
    site, rng, names = _site(data), random.Random(seed), list(KINDS)
    for step in range(len(names)):
        name = names[(seed + step) % len(names)]
        outcome, function = KINDS[name]
        change = function(site, rng)
        if change is not None and _bytes(change[0]) != data:
            return Damage(_bytes(change[0]), name, change[1], outcome)
    raise ValueError("nothing in this record can be damaged")


@lru_cache(maxsize=8)
def _site(data: bytes) -> Site:
    return Site(data)


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def _replace_number(name: str, make: Callable[[str, random.Random], str], outcome: str = "refused") -> None:
    def function(site: Site, rng: random.Random) -> Change:
        spot = rng.choice(site.numbers)
        new = make(spot.node.text, rng)
        return site.put(spot, new), f"{spot.path}: {spot.node.text} became {new}"

    kind(name, outcome)(function)


def _replace_value(name: str, make: Callable[[str, random.Random], str], outcome: str = "refused") -> None:
    def function(site: Site, rng: random.Random) -> Change:
        spot = rng.choice(site.values)
        new = make(site.text[spot.start : spot.end], rng)
        return site.put(spot, new), f"{spot.path}: {site.text[spot.start : spot.end]} became {new[:60]}"

    kind(name, outcome)(function)


def _replace_key(name: str, make: Callable[[str, random.Random], str | None], outcome: str = "refused") -> None:
    def function(site: Site, rng: random.Random) -> Change | None:
        spot = rng.choice([field for field in site.fields if len(field.node.text) > 2])
        new = make(spot.node.text, rng)
        return None if new is None else (site.put(spot, new), f"{spot.path}: the key became {new}")

    kind(name, outcome)(function)


def _insert_character(name: str, characters: str) -> None:
    def function(site: Site, rng: random.Random) -> Change:
        at, character = rng.randrange(len(site.text) + 1), rng.choice(characters)
        return site.text[:at] + character + site.text[at:], f"U+{ord(character):04X} at {at}"

    kind(name, "refused")(function)


# -- numbers -----------------------------------------------------------------------------------------------------


def _other_digit(text: str, rng: random.Random) -> str:
    at = rng.choice([number for number, character in enumerate(text) if character.isdigit()])
    return text[:at] + str((int(text[at]) + rng.randint(1, 9)) % 10) + text[at + 1 :]


_replace_number("not-a-number", lambda _, rng: rng.choice([".nan", "NaN", "nan", ".inf", "-.inf", "Infinity", "inf"]))
_replace_number("exponent", lambda text, rng: rng.choice([f"{text}e0", f"{text}E+1", "1e3", "1e-3", "1e99999"]))
_replace_number("decimal-comma", lambda text, _: text.replace(".", ",") if "." in text else f"{text},5")
_replace_number("other-base", lambda text, rng: rng.choice(["0x2A", "0o52", "0b101", f"0{text.lstrip('-')}"]))
_replace_number(
    "odd-number", lambda text, rng: rng.choice([f"+{text}", f"{text}_0", f"{text}." if "." not in text else ".5"])
)
_replace_number("quoted-number", lambda text, rng: rng.choice([f'"{text}"', f"'{text}'"]))
_replace_number("base-60", lambda _, rng: rng.choice(["12:30", "1:00:00", "190:20:30.15"]))
_replace_number("huge", lambda text, rng: rng.choice([text + "0" * 16, "9" * 5000, "1" + "0" * 400]))
_replace_number("date-for-number", lambda *_: "2026-11-21")
_replace_number("word-for-number", lambda _, rng: rng.choice(["forty-two", "n/a", "4O", "l2", "about 40", "76%"]))
_replace_number("truth-for-number", lambda _, rng: rng.choice(["true", "false", "yes", "NO"]))
_replace_number("list-for-number", lambda text, _: f"[{text}]")
_replace_number("mapping-for-number", lambda text, _: f"{{amount: {text}}}")
_replace_number(
    "foreign-digits", lambda text, rng: rng.choice(["\u2212" + text, text.translate(_ARABIC), text.translate(_WIDE)])
)
_replace_number("changed-digit", _other_digit, "digits")
_replace_number(
    "swapped-digits", lambda text, _: text[::-1] if "." not in text and "-" not in text else f"1{text}", "digits"
)

_ARABIC = {ord("0") + digit: 0x0660 + digit for digit in range(10)}
_WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


@kind("counts-above-n", "digits")
def _counts_above_n(site: Site, rng: random.Random) -> Change | None:
    counts = [spot for spot in site.numbers if "events" in spot.path and spot.path[-1] in ("events", "value")]
    if not counts:
        return None
    spot = rng.choice(counts)
    return site.put(spot, spot.node.text + "00"), f"{spot.path}: {spot.node.text} became {spot.node.text}00"


# -- values ------------------------------------------------------------------------------------------------------

_replace_value("anchor", lambda text, _: f"&x {text}")
_replace_value("alias", lambda *_: "*x")
_replace_value(
    "tag", lambda text, rng: rng.choice(["!!python/object/apply:os.system", "!!str", "!!int", "!x", "!"]) + f" {text}"
)
_replace_value("deep-list", lambda *_: "[" * 200_000)
_replace_value("deep-mapping", lambda *_: "{a: " * 50_000)
_replace_value("wrong-type", lambda text, rng: rng.choice([f"[[{text}]]", f"{{zzz: {text}}}", "{}"]))
_replace_value("bare-word", lambda _, rng: rng.choice(["NO", "no", "yes", "on", "Off", "y", "TRUE", "=", "<<"]))
_replace_value("unclosed", lambda text, rng: rng.choice(['"', "[", "{", "'"]) + text.strip("\"'"))


@kind("empty", "refused")
def _empty(site: Site, rng: random.Random) -> Change:
    spot = rng.choice([spot for spot in site.values if isinstance(spot.path[-1], str)])  # [x] would become []
    return site.put(spot, rng.choice(["", "~", "null", "Null", "NULL"])), f"{spot.path}: emptied"


@kind("norway", "refused")
def _norway(site: Site, _: random.Random) -> Change:
    spot = next(spot for spot in site.values if "countries" in spot.path)
    return site.put(spot, "NO"), "an unquoted NO among the countries"


@kind("unquoted", "same")
def _unquoted(site: Site, rng: random.Random) -> Change:
    # a text with a comma would fall into two, as it must
    spot = rng.choice([spot for spot in site.values if spot.node.quoted and "," not in spot.node.text])
    return site.put(spot, spot.node.text), f"{spot.path}: lost its quotes"


# -- keys --------------------------------------------------------------------------------------------------------


def _misspell(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(text))
    return rng.choice([text[:at] + text[at + 1 :] or "x", text[:at] + text[at] + text[at:], text + "s", f"x{text}"])


_LOOK_ALIKES = str.maketrans("aeopcxyi", "аеорсхуі")

_replace_key("misspelt-key", _misspell)
_replace_key("look-alike-key", lambda text, _: None if text == (new := text.translate(_LOOK_ALIKES)) else new)
_replace_key("merge-key", lambda *_: "<<")
_replace_key("explicit-list-as-key", lambda text, _: f"[{text}]")
_replace_key("capital-key", lambda text, _: text.upper())


@kind("duplicate-key", "refused")
def _duplicate_key(site: Site, rng: random.Random) -> Change:
    pairs = [(key, value) for key, value in _neighbours(site) if site.text[key.end : key.end + 2] == ": "]
    key, value = rng.choice(pairs)
    flow = site.text[: key.start].rsplit("\n", 1)[-1].count("{") > 0
    start = len(site.text[: key.start].rsplit("\n", 1)[-1])
    again = f"{key.node.text}: {site.text[value.start : value.end]}"
    between = ", " if flow else "\n" + " " * start
    return site.text[: value.end] + between + again + site.text[value.end :], f"{key.path} twice"


def _neighbours(site: Site) -> list[tuple[Spot, Spot]]:
    values = {spot.path: spot for spot in site.values}
    return [(key, values[key.path]) for key in site.keys if key.path in values]


@kind("unknown-key", "refused")
def _unknown_key(site: Site, rng: random.Random) -> Change:
    spot = rng.choice([spot for spot in site.fields if site.text[spot.start - 1] == "{" or len(spot.path) == 1])
    extra = "colour: blue" + (", " if site.text[spot.start - 1] == "{" else "\n")
    return site.text[: spot.start] + extra + site.text[spot.start :], f"a key `colour` before {spot.path}"


# -- the file ----------------------------------------------------------------------------------------------------

_insert_character("control-character", "\x00\x01\x07\x08\x1b\x7f\x85\x9f")
_insert_character("bidi-character", "\u202a\u202b\u202d\u202e\u2066\u2067\u200e\u200f\u061c")
_insert_character(
    "invisible-character", "\u200b\u200c\u200d\u2060\ufeff\u00ad\u00a0\u2003\u3000\ufe0f\u2028\u2029\U000e0041"
)


@kind("not-utf8", "refused")
def _not_utf8(site: Site, rng: random.Random) -> Change:
    data = site.text.encode()
    at = rng.randrange(len(data) + 1)
    bad = rng.choice([b"\xff", b"\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"])
    return data[:at] + bad + data[at:], f"{bad!r} at byte {at}"


@kind("other-encoding", "refused")
def _other_encoding(site: Site, rng: random.Random) -> Change:
    encoding = rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
    return site.text.encode(encoding), f"saved as {encoding}"


@kind("ten-megabytes", "refused")
def _ten_megabytes(site: Site, rng: random.Random) -> Change:
    filler = rng.choice(["# comment\n", "\n", "a: 1\n", "- x\n", " "])
    return site.text + filler * (10_000_000 // len(filler)), "ten megabytes"


@kind("tab", "refused")
def _tab(site: Site, rng: random.Random) -> Change:
    lines = site.lines
    number = rng.choice([number for number, line in enumerate(lines) if line.startswith("  ")])
    lines[number] = "\t" + lines[number][2:]
    return "".join(lines), f"a tab in line {number + 1}"


@kind("second-document", "refused")
def _second_document(site: Site, rng: random.Random) -> Change:
    return site.text + rng.choice(["---\n", "...\n---\n"]) + site.text, "the record twice, as two documents"


@kind("split-document", "refused")
def _split_document(site: Site, rng: random.Random) -> Change:
    lines = site.lines
    at = rng.randrange(2, len(lines))
    return "".join([*lines[:at], "---\n", *lines[at:]]), f"--- before line {at + 1}"


@kind("directive", "refused")
def _directive(site: Site, rng: random.Random) -> Change:
    return rng.choice(["%YAML 1.1\n", "%YAML 1.2\n", "%TAG ! tag:x,2026:\n"]) + "---\n" + site.text, "a directive"


@kind("comment", "refused")
def _comment(site: Site, rng: random.Random) -> Change:
    spot = rng.choice([spot for spot in site.values if site.text[spot.end : spot.end + 1] == "\n"])
    return site.text[: spot.end] + " # x" + site.text[spot.end :], f"a comment behind {spot.path}"


@kind("dropped-line", "removed")
def _dropped_line(site: Site, rng: random.Random) -> Change:
    lines = site.lines
    number = rng.randrange(len(lines))
    return "".join(lines[:number] + lines[number + 1 :]), f"without line {number + 1}"


@kind("cut-off", "removed")
def _cut_off(site: Site, rng: random.Random) -> Change:
    at = rng.randrange(len(site.text))
    return site.text[:at], f"cut at {at}"


@kind("swapped-lines", "removed")
def _swapped_lines(site: Site, rng: random.Random) -> Change:
    lines = site.lines
    at = rng.choice(
        [n for n in range(len(lines) - 1) if lines[n].strip()[:2] != "- " and lines[n + 1].strip()[:2] != "- "]
    )
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return "".join(lines), f"lines {at + 1} and {at + 2} swapped"


@kind("indentation", "removed")
def _indentation(site: Site, rng: random.Random) -> Change:
    lines = site.lines
    number = rng.choice([number for number, line in enumerate(lines) if line.strip()])
    lines[number] = lines[number].removeprefix("  ") if rng.random() < 0.5 else "  " + lines[number]
    return "".join(lines), f"line {number + 1} indented otherwise"


@kind("line-ends", "same")
def _line_ends(site: Site, _: random.Random) -> Change:
    return site.text.replace("\n", "\r\n"), "CRLF"


@kind("space-at-line-end", "text")
def _space_at_line_end(site: Site, rng: random.Random) -> Change:
    lines = site.lines
    number = rng.randrange(len(lines))
    lines[number] = lines[number].rstrip("\n") + " \n"
    return "".join(lines), f"a space at the end of line {number + 1}"


@kind("random-character", "random")
def _random_character(site: Site, rng: random.Random) -> Change:
    at, character = rng.randrange(len(site.text)), rng.choice("abz019.,:;-_#&*!|>'\"%@`?{}[]()~=+/\\ \n")
    end = at + rng.choice([0, 1])
    return site.text[:at] + character + site.text[end:], f"{character!r} for {site.text[at:end]!r} at {at}"


@kind("lost-character", "random")
def _lost_character(site: Site, rng: random.Random) -> Change:
    at = rng.randrange(len(site.text))
    return site.text[:at] + site.text[at + 1 :], f"without {site.text[at]!r} at {at}"
