"""Strict YAML: bytes from anybody to a record, or to all that is wrong with them, each with its line and column.

YAML is not strict: an unquoted ``NO`` is false, a repeated key replaces the first, ``12:30`` is 750. Here each of
them is an error. The tree is built from libyaml's events with limits and never composed or loaded: libyaml's composer
crashes the process on deep nesting, and is quadratic before that.
"""

import re
import unicodedata
from bisect import bisect_right
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from ipsevidence.dataset.findings import Finding, ReadError, excerpt, hidden
from ipsevidence.dataset.refusals import Complaint, complaints, confusions
from ipsevidence.dataset.tree import (
    KEY_LENGTH,
    Mapping,
    Mark,
    Node,
    Scalar,
    Sequence,
    doubt,
    is_key,
    is_number,
    is_plain_key,
    plain,
    position,
)

__all__ = [
    "CHECKS",
    "DEPTH",
    "NODES",
    "SIZE",
    "Finding",
    "Mapping",
    "Mark",
    "Node",
    "ReadError",
    "Rule",
    "Scalar",
    "Sequence",
    "fetch",
    "parse",
    "plain",
    "position",
    "read",
]

SIZE = 256 * 1024
"""The largest file that is read, in bytes."""
DEPTH = 32
"""The deepest nesting that is read."""
NODES = 20_000
"""The most values (scalars, lists and mappings, keys included) that are read from one file."""
_SHOWN = 200

M = TypeVar("M", bound=BaseModel)


class Rule(NamedTuple):
    """What a check of the reader demands, why, and how to meet it."""

    rule: str
    why: str
    fix: str


CHECKS: dict[str, Rule] = {
    "too-large": Rule(
        "A file has at most 256 kB (262,144 bytes).",
        "Records come from strangers; a record of one study is some 10 kB.",
        "Check that this is the right file; move long text to the source it came from.",
    ),
    "not-utf8": Rule(
        "A file is UTF-8.",
        "Another encoding turns names and signs into other characters, and differently on each machine.",
        "Save the file as UTF-8 (in most editors: Save with encoding).",
    ),
    "byte-order-mark": Rule(
        "A file does not start with a byte order mark.",
        "It is an invisible character before the first key, and no other file has it.",
        "Save the file as UTF-8 without BOM.",
    ),
    "hidden-character": Rule(
        "A file has no invisible characters: no controls, no bidirectional or zero-width signs, no special spaces.",
        "They can make a file show something else than it says.",
        "Delete the character and type an ordinary one.",
    ),
    "tab": Rule(
        "A file has no tabs.",
        "Indentation is structure in YAML, and a tab has no agreed width.",
        "Replace each tab by spaces, two for each level.",
    ),
    "too-deep": Rule(
        "Lists and mappings are nested at most 32 deep.",
        "No record needs more, and deep nesting is a way to stall or crash a program.",
        "Close the brackets, or flatten the structure.",
    ),
    "too-many-nodes": Rule(
        "A file has at most 20,000 values.",
        "No record needs more, and long files are a way to stall a program.",
        "Split the file, one study each.",
    ),
    "too-many-findings": Rule(
        "At most 200 findings are shown for a file.",
        "More would hide the first, which often cause the others.",
        "Mend the findings shown and check again.",
    ),
    "syntax": Rule(
        "A file is valid YAML.",
        "What cannot be parsed cannot be checked.",
        "Look at this place and the line above: a missing quote, bracket or colon, or a wrong indentation.",
    ),
    "empty-file": Rule(
        "A file has content.", "An empty file says nothing.", "Start from the template: copy studies/_template.yaml."
    ),
    "not-a-mapping": Rule(
        "The top of a file is keys with their values.",
        "The record's fields are found by their names.",
        "Write `key: value` lines, starting in the first column.",
    ),
    "comment": Rule(
        "Comments stand only above the first key.",
        "The canonical form could not keep them elsewhere, and no text may be lost.",
        "Put the remark into `notes:`, or above the first key.",
    ),
    "anchor": Rule(
        "No anchors (`&name`).",
        "Each value is written where it belongs; repeated references are also a known attack.",
        "Delete the anchor and write the value out at each place.",
    ),
    "alias": Rule(
        "No aliases (`*name`).",
        "Each value is written where it belongs; repeated references are also a known attack.",
        "Write the value out; put a text that starts with * in quotes.",
    ),
    "tag": Rule(
        "No tags (`!name`, `!!type`).",
        "A tag can change what a value is, or name code to run.",
        "Delete the tag; put a text that starts with ! in quotes.",
    ),
    "directive": Rule(
        "No directives (`%YAML`, `%TAG`).", "One form of YAML is read, and only that.", "Delete the line."
    ),
    "second-document": Rule(
        "One document a file.",
        "Readers differ in which of several documents they see.",
        "Move what follows `---` to its own file, or delete it.",
    ),
    "merge-key": Rule(
        "No merge keys (`<<`).", "Each value is written where it belongs.", "Write the keys and values out."
    ),
    "duplicate-key": Rule(
        "A key stands once in its mapping.",
        "Most YAML readers keep only the last one, silently.",
        "Delete one of the two, or rename it.",
    ),
    "bad-key": Rule(
        "A key is a word of the letters A to Z, digits, - and _, at most 64 long.",
        "Look-alike letters and keys such as `on:`, which YAML reads as true, would pass unseen.",
        "Write the key with plain letters, digits, - and _; put a key such as `on` in quotes.",
    ),
    "ambiguous-scalar": Rule(
        "An unquoted value means the same to every YAML reader.",
        "NO is false to some, 12:30 is 750, 1e-3 is a text: a value must not depend on the program.",
        "Put a text in quotes; write a number with its digits and a point, such as 0.001.",
    ),
    "empty-value": Rule(
        "A key has a value.",
        "A missing value is said by leaving the key out; an empty one may be a slip.",
        "Leave the key out, or give the value.",
    ),
    "comma-in-number": Rule(
        "A comma in a list or {} separates two values and is followed by a space.",
        "`[1,64]` may be meant as 1.64; YAML reads two numbers.",
        "Write a decimal point; between two values put a space after the comma.",
    ),
    "unknown-key": Rule(
        "Only the keys of the format are used.",
        "A misspelt key would be ignored, and its number lost.",
        "Correct the spelling, or move the remark into `notes:`.",
    ),
    "missing-key": Rule(
        "The keys that the format demands are there.", "The record cannot be understood without them.", "Add the key."
    ),
    "wrong-type": Rule(
        "A value has the type of its key: text, number, true or false, list or mapping.",
        "A number in quotes is a text, and a text is not computed with.",
        "Write a number without quotes, a text that looks like a number with quotes, a list in [].",
    ),
    "not-in-list": Rule(
        "A value of a closed list is one of its terms.",
        "Studies are selected and compared by these terms.",
        "Use one of the terms.",
    ),
    "out-of-range": Rule(
        "A number lies within the range of its key.", "Outside it, it is a slip.", "Check the number in the source."
    ),
    "wrong-length": Rule(
        "A list or text has the length its key demands.",
        "Too few or too many entries are a slip.",
        "Add or remove entries; shorten the text.",
    ),
    "wrong-form": Rule(
        "A text has the form its key demands: an id, a date, a DOI, a web address.",
        "Links and references are built from it.",
        "Correct it to the form shown.",
    ),
    "invalid-value": Rule(
        "Values that belong together agree.",
        "A part of the record contradicts another, or is incomplete.",
        "See the message.",
    ),
}
"""Every check of the reader by its id."""


class _StopReadingError(Exception):
    """The rest of the file cannot be understood; the findings so far are what there is."""


class _Notes:
    """The findings of one file, collected."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def add(self, mark: Mark, check: str, what: str, fix: str = "") -> None:
        if len(self.findings) > _SHOWN:
            raise _StopReadingError
        fix = fix or _as_clause(CHECKS[check].fix)
        self.findings.append(Finding(self.file, mark.line, mark.column, "error", check, what, fix))

    def stop(self, mark: Mark, check: str, what: str, fix: str = "") -> NoReturn:
        self.add(mark, check, what, fix)
        raise _StopReadingError

    def sorted(self) -> tuple[Finding, ...]:
        findings = sorted(dict.fromkeys(self.findings), key=lambda finding: (finding.line, finding.column))
        if len(findings) <= _SHOWN:
            return tuple(findings)
        last = findings[_SHOWN - 1]
        more = Finding(
            self.file,
            last.line,
            last.column,
            "error",
            "too-many-findings",
            f"there are more than {_SHOWN} findings; the rest is not shown",
            _as_clause(CHECKS["too-many-findings"].fix),
        )
        return (*findings[:_SHOWN], more)


def _as_clause(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:].rstrip(".")


def fetch(path: Path) -> bytes:
    """Read a file's bytes, but never more than one above the size that :func:`parse` accepts.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes
        Its content; one byte more than :data:`SIZE` where the file is larger, which `parse` then refuses.
    """
    with path.open("rb") as stream:
        return stream.read(SIZE + 1)


def parse(data: bytes, *, file: str) -> Mapping:
    """Parse strict YAML to a tree with positions.

    Parameters
    ----------
    data : bytes
        The content of the file.
    file : str
        The name that findings give.

    Returns
    -------
    Mapping
        The keys and values of the file.

    Raises
    ------
    ReadError
        With everything that is wrong, in the order of the file.
    """
    notes = _Notes(file)
    tree = _tree(data, notes)
    if tree is None or notes.findings:
        raise ReadError(notes.sorted())
    return tree


def read(data: bytes, model: type[M], *, file: str) -> tuple[M, Mapping]:
    """Read a file into a pydantic model.

    Parameters
    ----------
    data : bytes
        The content of the file.
    model : type of BaseModel
        What the file must be. Lists are given to it as tuples.
    file : str
        The name that findings give.

    Returns
    -------
    record : BaseModel
        The validated record.
    tree : Mapping
        The tree it came from, for positions and for the canonical form.

    Raises
    ------
    ReadError
        With everything that is wrong, in the order of the file: what the parser found, and what the model did.
    """
    notes = _Notes(file)
    tree = _tree(data, notes)
    if tree is None:
        raise ReadError(notes.sorted())
    record = None
    try:
        record = model.model_validate(plain(tree, sequence=tuple))
    except ValidationError as error:
        _add_complaints(complaints(error, model, tree), notes)
    _add_complaints(confusions(tree, (model,)), notes)
    if record is None or notes.findings:
        raise ReadError(notes.sorted())
    return record, tree


def _add_complaints(found: list[Complaint], notes: _Notes) -> None:
    # What the parser said about a place goes first: that its text is then not a number follows from it.
    told = {(finding.line, finding.column) for finding in notes.findings}
    try:
        for complaint in found:
            if complaint.mark not in told:
                check = complaint.check if complaint.check in CHECKS else "invalid-value"
                notes.add(complaint.mark, check, complaint.what, complaint.fix)
    except _StopReadingError:
        return


def _tree(data: bytes, notes: _Notes) -> Mapping | None:
    try:
        text = _without_hidden(_decode(data, notes), notes)
        return _Builder(text, notes).build()
    except _StopReadingError:
        return None


def _decode(data: bytes, notes: _Notes) -> str:
    top = Mark(1, 1)
    if len(data) > SIZE:
        notes.stop(top, "too-large", f"the file has more than {SIZE:,} bytes (256 kB)")
    if data.startswith(b"\xef\xbb\xbf"):
        notes.stop(top, "byte-order-mark", "the file starts with a byte order mark (BOM)")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:4].count(0) > 1:
        notes.stop(top, "not-utf8", "the file is UTF-16 or UTF-32, not UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line_start = before.rfind("\n") + 1
        mark = Mark(before.count("\n") + 1, len(before) - line_start + 1)
        notes.stop(mark, "not-utf8", f"the byte 0x{data[error.start]:02x} is not UTF-8 here")
    return text.replace("\r\n", "\n") if "\r" in text else text


_GAP = "\ue000"  # of private use, so it is never in a text that is read; taken out of every scalar
# Where one of these stands the structure is not known: a tab in the indentation, and what some take for a line end.
_BREAKS = re.compile("^ *\t|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", re.MULTILINE)


def _without_hidden(text: str, notes: _Notes) -> str:
    """Note every invisible character, and put another in its place so that the rest can still be read in place."""
    broken = _BREAKS.search(text) is not None
    pieces: list[str] = []
    start = line_start = 0
    line = 1
    for match in hidden(text):
        at = match.start()
        line += text.count("\n", start, at)
        line_start = max(line_start, text.rfind("\n", start, at) + 1)
        mark = Mark(line, at - line_start + 1)
        _note_hidden(match.group(), mark, text[line_start:at].isspace() or at == line_start, notes)
        space = match.group() == "\t" or unicodedata.category(match.group()) == "Zs"
        pieces += (text[start:at], " " if space else _GAP)
        start = at + 1
    if broken:
        raise _StopReadingError  # the structure is not known
    return "".join(pieces) + text[start:]


def _note_hidden(character: str, mark: Mark, indent: bool, notes: _Notes) -> None:
    if character == "\t" and indent:
        notes.add(mark, "tab", "a tab in the indentation")
    elif character == "\t":
        notes.add(mark, "tab", "a tab", "replace it by a space")
    elif character == "\r":
        notes.add(mark, "hidden-character", "a carriage return alone", "save the file with line ends LF (Unix)")
    elif character == "\ufffd":
        fix = "type the character that stood here, from the source"
        notes.add(mark, "hidden-character", "U+FFFD, the sign for a character that was lost", fix)
    elif unicodedata.category(character) == "Zs":
        what = f"{_name(character)}, which looks like a space but is none"
        notes.add(mark, "hidden-character", what, "replace it by an ordinary space")
    else:
        notes.add(mark, "hidden-character", f"{_name(character)}, which cannot be seen")


def _name(character: str) -> str:
    name = unicodedata.name(character, "a control or unassigned character")
    return f"U+{ord(character):04X} ({name.lower()})"


def _parser(text: str) -> Any:
    try:
        from yaml import CBaseLoader
    except ImportError as error:
        raise ImportError(
            "reading records needs PyYAML with libyaml (its C parser), which this installation of PyYAML does not "
            "have; install a wheel from PyPI: pip install --force-reinstall --only-binary pyyaml pyyaml"
        ) from error
    return CBaseLoader(text)


# libyaml's words -> check, what it means to somebody who does not know YAML, fix. The first that occurs is taken.
_PROBLEMS = (
    (
        "mapping values are not allowed",
        "syntax",
        "a colon where no key can stand",
        "put a text with `: ` in it in quotes, or mend the indentation of this line and the one above",
    ),
    (
        "did not find expected ',' or",
        "syntax",
        "the bracket opened at {at} is not closed, or a comma is missing before this place",
        "close the bracket, put a comma between values, and put a text with `,` `[` `]` `{` `}` in quotes",
    ),
    (
        "unexpected end of stream",
        "syntax",
        "quotes are opened here and never closed",
        "close the quotation mark that opens the text",
    ),
    (
        "document indicator",
        "syntax",
        "quotes are opened here and not closed before a line that starts with --- or ...",
        "close the quotation mark that opens the text",
    ),
    (
        "could not find expected ':'",
        "syntax",
        "a line that is neither a key with its value nor part of a text",
        "write it as `key: value`, with a space after the colon",
    ),
    (
        "did not find expected key",
        "syntax",
        "this does not fit the lines above: the indentation is wrong, or a text goes on after its closing quote",
        'indent the keys of one mapping alike; inside double quotes write a quotation mark as \\"',
    ),
    (
        "did not find expected '-' indicator",
        "syntax",
        "this does not fit the list above",
        "indent the items of one list alike, each with `- `",
    ),
    (
        "block sequence entries are not allowed",
        "syntax",
        "a list item (`- `) where none can stand",
        "start the list on a line of its own, under its key",
    ),
    (
        "cannot start any token",
        "syntax",
        "a text cannot start with this character unless it is in quotes",
        "put the text in quotes",
    ),
    (
        "unknown escape character",
        "syntax",
        "a backslash that YAML does not know inside double quotes",
        "write two backslashes for one, or use single quotes",
    ),
    (
        "did not find expected node content",
        "syntax",
        "a value is missing or starts with a character that has a meaning in YAML",
        "give the value, in quotes if it is a text with special characters",
    ),
    ("did not find expected <document start>", "syntax", "something stands after the end of the content", ""),
    ("scanning a tag", "tag", "a word that starts with `!`", ""),
    ("undefined tag", "tag", "a word that starts with `!`", ""),
    ("scanning an anchor", "anchor", "a word that starts with `&`", "put a text that starts with & in quotes"),
    ("scanning an alias", "alias", "a word that starts with `*`", ""),
    ("directive", "directive", "a line that starts with %", ""),
    ("incompatible YAML document", "directive", "a directive for another version of YAML", ""),
)

# A frozen dataclass sets its fields through object.__setattr__; for each value of each record that is too slow.
_new, _new_tuple = object.__new__, tuple.__new__
_set_text, _set_quoted, _set_mark = (vars(Scalar)[name].__set__ for name in ("text", "quoted", "mark"))
# Unquoted texts and keys that were found good: the records of a dataset share most of them, and the rule for a text
# depends on nothing else. Only short ones are remembered, and a limited number.
_SETTLED: set[str] = set()
_GOOD_KEYS: set[str] = set()
_REMEMBERED = 20_000
_PROPERTY = re.compile(r"(?<![^\s\[\]{},?:\"'-])(?:&\S|!)")  # where an anchor or a tag may be
_NUMERIC = frozenset("-0123456789")


class _Builder:
    """One pass over libyaml's events: the tree, and what is wrong with it."""

    def __init__(self, text: str, notes: _Notes) -> None:
        self.text = text
        self.notes = notes
        self.parser = _parser(text)
        if len(_SETTLED) > _REMEMBERED:
            _SETTLED.clear()
            _GOOD_KEYS.clear()
        self.spans: list[tuple[int, int]] | None = [] if "#" in text else None
        self.escapes = "\\" in text
        self.properties = _PROPERTY.search(text) is not None
        self.comma_key = False
        self.documents = 0
        self.nodes = 0
        self.first_key = len(text)

    def build(self) -> Mapping:
        from yaml import YAMLError, events

        try:
            root = self._events(events)
        except YAMLError as error:
            self._syntax(error)
        header = self._comments()
        if root is None or (isinstance(root, Scalar) and not root.text):
            self.notes.stop(Mark(1, 1), "empty-file", "the file has no content")
        if not isinstance(root, Mapping):
            what = "the file is a list" if isinstance(root, Sequence) else "the file is a single text"
            self.notes.stop(root.mark, "not-a-mapping", f"{what}, not keys with their values")
        return Mapping(root.pairs, root.mark, header)

    def _events(self, events: Any) -> Node | None:  # noqa: C901, PLR0912, PLR0915
        """Turn events into nodes. The loop runs once for each value of each record: it is kept flat and lean."""
        next_event, settled, good_keys = self.parser.get_event, _SETTLED, _GOOD_KEYS
        scalar, mapping, sequence = events.ScalarEvent, events.MappingStartEvent, events.SequenceStartEvent
        end_of_mapping, end_of_sequence = events.MappingEndEvent, events.SequenceEndEvent
        watchful = self.spans is not None or self.escapes or self.properties
        gaps = _GAP in self.text  # something hidden stood there
        stack, items = list[tuple[Any, ...]](), list[Any]()  # items: the open list
        pairs: dict[str, tuple[Scalar, Node]] | None = None  # the open mapping; None in a list
        key: Scalar | None = None
        start = Mark(1, 1)
        while True:
            event = next_event()
            kind = event.__class__
            if kind is scalar:
                at, quoted = event.start_mark, event.style != ""
                text = event.value.replace(_GAP, "") if gaps else event.value
                node: Any = _new(Scalar)
                _set_text(node, text)
                _set_quoted(node, quoted)
                _set_mark(node, _new_tuple(Mark, (at.line + 1, at.column + 1)))
                if watchful:
                    self._watch(event, node)
                if pairs is not None and key is None:
                    if text not in good_keys or text in pairs:
                        self._check_key(event, node, text in pairs)
                    key = node
                    continue
                if not quoted and text not in settled:
                    self._check_plain(event, node)
                if pairs is None and items and not quoted and text[:1] in _NUMERIC:
                    self._check_comma(event, node, items[-1])
            elif kind is mapping or kind is sequence:
                at, as_key = event.start_mark, pairs is not None and key is None
                if as_key or self.properties or not 0 < len(stack) < DEPTH:
                    self._check_start(event, as_key, len(stack))
                stack.append((items, pairs, key, start))
                items, pairs, key = [], {} if kind is mapping else None, None
                start = _new_tuple(Mark, (at.line + 1, at.column + 1))
                continue
            elif kind is end_of_mapping or kind is end_of_sequence:
                node = Sequence(tuple(items), start) if pairs is None else Mapping(tuple(pairs.values()), start)
                self._count(len(items) if pairs is None else 2 * len(pairs), start)
                items, pairs, key, start = stack.pop()
            elif kind is events.AliasEvent:
                node = self._alias(event)
            elif kind is events.StreamEndEvent:
                return items[0] if items else None
            else:
                self._document(event)
                continue
            if pairs is None:
                items.append(node)
                if len(items) > NODES:  # the rest is not worth its time
                    self._count(len(items), start)
            elif key is None:
                key = node
            else:
                pairs[key.text] = (key, node)
                key = None

    def _count(self, more: int, mark: Mark) -> None:
        self.nodes += more
        if self.nodes > NODES:
            self.notes.stop(mark, "too-many-nodes", f"the file has more than {NODES:,} values")

    def _watch(self, event: Any, node: Scalar) -> None:
        """Look at a scalar of a file in which comments, escapes, anchors or tags are possible."""
        begin, end = event.start_mark.index, event.end_mark.index
        if self.spans is not None:
            self.spans.append((begin, end))
            if event.style in ("|", ">"):
                at = self.text.find("#", begin, self.text.find("\n", begin))
                if at >= 0:
                    self._note_comment(at)
        if self.properties:
            self._note_properties(event)
        if event.style == '"':
            for match in hidden(node.text):
                what = f"an escape for {_name(match.group())}, which cannot be seen"
                self.notes.add(node.mark, "hidden-character", what, "delete the escape")

    def _note_properties(self, event: Any) -> None:
        mark = _mark(event.start_mark)
        if event.anchor is not None:
            self.notes.add(mark, "anchor", f"an anchor: `&{excerpt(event.anchor)}`")
        if event.tag is not None:
            self.notes.add(mark, "tag", f"a tag: `{excerpt(event.tag)}`")

    def _alias(self, event: Any) -> Scalar:
        mark = _mark(event.start_mark)
        self.notes.add(mark, "alias", f"an alias: `*{excerpt(event.anchor)}`")
        return Scalar("", True, mark)

    def _check_start(self, event: Any, as_key: bool, depth: int) -> None:
        if depth == 0:
            self.first_key = event.start_mark.index
        if self.properties:
            self._note_properties(event)
        if depth < DEPTH and not as_key:
            return
        mark = _mark(event.start_mark)
        if depth >= DEPTH:
            self.notes.stop(mark, "too-deep", f"lists and mappings are nested more than {DEPTH} deep here")
        else:
            self.notes.stop(mark, "bad-key", "a list or mapping stands where a key should")

    def _check_key(self, event: Any, node: Scalar, repeated: bool) -> None:
        text = node.text
        if repeated or not is_key(text):
            self._note_key(node, repeated)
        elif node.quoted:
            pass
        elif is_plain_key(text):
            _GOOD_KEYS.add(text)
        elif self._after_comma(event, node):
            self.comma_key = True
        else:
            what = f"the key `{text}` is not a text to every YAML reader"
            self.notes.add(node.mark, "bad-key", what, f'put the key in quotes: "{text}"')

    def _note_key(self, node: Scalar, repeated: bool) -> None:
        text, shown = node.text, f"`{excerpt(node.text)}`"
        if repeated:
            self.notes.add(node.mark, "duplicate-key", f"the key {shown} stands twice in this mapping")
        elif text == "<<" and not node.quoted:
            self.notes.add(node.mark, "merge-key", "a merge key: `<<`")
        elif not text:
            self.notes.add(node.mark, "bad-key", "a colon without a key before it", "write the key before the colon")
        else:
            odd = next((character for character in text if not is_key(character)), "")
            reason = f"has {_name(odd)} in it" if odd else f"is longer than {KEY_LENGTH} characters"
            self.notes.add(node.mark, "bad-key", f"the key {shown} {reason}")

    def _check_plain(self, event: Any, node: Scalar) -> None:
        found = doubt(node.text)
        if found is None:
            if len(node.text) <= KEY_LENGTH:
                _SETTLED.add(node.text)
            return
        what, fix = found
        if node.text:
            check = "empty-value" if what == "is an empty value" else "ambiguous-scalar"
            self.notes.add(node.mark, check, f"`{excerpt(node.text)}` {what}", fix)
        elif not self.comma_key:
            self.notes.add(self._place(event.start_mark), "empty-value", "there is no value here", fix)
        self.comma_key = False

    def _check_comma(self, event: Any, node: Scalar, before: Node) -> None:
        if isinstance(before, Scalar) and not before.quoted and is_number(before.text):
            self._after_comma(event, node)

    def _after_comma(self, event: Any, node: Scalar) -> bool:
        at = event.start_mark.index
        if not (at > 1 and self.text[at - 1] == "," and self.text[at - 2].isdigit() and is_number(node.text)):
            return False
        what = f"a comma inside a number? `,{node.text}` follows a digit"
        self.notes.add(node.mark, "comma-in-number", what)
        return True

    def _document(self, event: Any) -> None:
        # the events that remain are the starts and ends of the stream and of documents
        if not hasattr(event, "version"):
            return
        self.documents += 1
        mark = _mark(event.start_mark)
        if event.version or event.tags:
            self.notes.add(mark, "directive", "a directive (a line that starts with %)")
        if self.documents > 1:
            self.notes.stop(mark, "second-document", "a second document starts here")

    def _syntax(self, error: Any) -> NoReturn:
        problem = str(getattr(error, "problem", None) or error)
        context = str(getattr(error, "context", None) or "")
        opened = getattr(error, "context_mark", None)
        place = self._place(getattr(error, "problem_mark", None))
        for words, check, what, fix in _PROBLEMS:
            if words in f"{context}: {problem}":
                if opened is not None and what.startswith("quotes"):
                    place = self._place(opened)
                at = f"{opened.line + 1}:{opened.column + 1}" if opened is not None else "an earlier place"
                self.notes.stop(place, check, what.format(at=at), fix)
        self.notes.stop(place, "syntax", f"this is not valid YAML: {excerpt(problem)}")

    def _place(self, mark: Any) -> Mark:
        """Turn libyaml's mark into a place in the file; at its end libyaml counts one line more."""
        if mark is None:
            return Mark(1, 1)
        text = self.text.rstrip("\n")
        lines = text.count("\n") + 1
        return _mark(mark) if mark.line < lines else Mark(lines, len(text) - text.rfind("\n"))

    def _comments(self) -> tuple[str, ...]:
        """Note every comment that is not above the first key; return the lines of those that are."""
        header: list[str] = []
        spans, text = self.spans or [], self.text
        at = text.find("#")
        while at >= 0:
            before = bisect_right(spans, (at, len(text))) - 1
            if before >= 0 and at < spans[before][1]:
                at = text.find("#", spans[before][1])
                continue
            line_end = text.find("\n", at)
            line_end = len(text) if line_end < 0 else line_end
            if at < self.first_key and (at == 0 or text[text.rfind("\n", 0, at) + 1 : at].strip(" ") == ""):
                header.append(text[at:line_end].rstrip())
            else:
                self._note_comment(at)
            at = text.find("#", line_end)
        return tuple(header)

    def _note_comment(self, at: int) -> None:
        text = self.text
        mark = Mark(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        self.notes.add(mark, "comment", f"a comment: `{excerpt(text[at:].partition(chr(10))[0])}`")


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)
