"""The tree of a YAML file from libyaml's events: with limits, and never composed or loaded.

libyaml's composer crashes the process on deep nesting, and is quadratic before that.
"""

import re
from bisect import bisect_right
from typing import Any, NoReturn

from ipsevidence.dataset.decoding import GAP, character_name
from ipsevidence.dataset.findings import excerpt, hidden
from ipsevidence.dataset.reading_checks import Notes
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
)

__all__ = ["DEPTH", "NODES", "Builder"]

DEPTH = 32
"""The deepest nesting that is read."""
NODES = 20_000
"""The most values (scalars, lists and mappings, keys included) that are read from one file."""


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


class Builder:
    """One pass over libyaml's events: the tree, and what is wrong with it."""

    def __init__(self, text: str, notes: Notes) -> None:
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
        """Return the tree; `StopReadingError` where the rest of the file cannot be understood, with the notes taken."""
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
        gaps = GAP in self.text  # something hidden stood there
        stack, items = list[tuple[Any, ...]](), list[Any]()  # items: the open list
        pairs: dict[str, tuple[Scalar, Node]] | None = None  # the open mapping; None in a list
        key: Scalar | None = None
        start = Mark(1, 1)
        while True:
            event = next_event()
            kind = event.__class__
            if kind is scalar:
                at, quoted = event.start_mark, event.style != ""
                text = event.value.replace(GAP, "") if gaps else event.value
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
                what = f"an escape for {character_name(match.group())}, which cannot be seen"
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
            reason = f"has {character_name(odd)} in it" if odd else f"is longer than {KEY_LENGTH} characters"
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
