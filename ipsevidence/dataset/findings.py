"""What is wrong with a file, where, and what to do about it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "ReadError", "Severity", "excerpt", "hidden", "visible"]

Severity = Literal["error", "advice"]

_EXCERPT = 80

# Characters that a reader of the file cannot see, or takes for something else: controls, format and bidirectional
# characters, every space but the ordinary one, fillers, variation selectors, private use, surrogates, noncharacters,
# and U+FFFD, the trace of text that was lost. Listed, not asked of unicodedata, so that every Python refuses the same.
_HIDDEN_RANGES = (
    "\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0xE0000, 0x10000))
)
_HIDDEN = re.compile(f"[{_HIDDEN_RANGES}]")
_NOT_PLAIN = re.compile(r"[^\n -~]+")
_UNSAFE_IN_A_LINE = re.compile(f"[\n{_HIDDEN_RANGES}]")


def hidden(text: str) -> Iterator[re.Match[str]]:
    """Find the characters that cannot be seen; a line feed is none of them.

    Parameters
    ----------
    text : str
        The text to search.

    Returns
    -------
    iterator of re.Match
        A match for each such character, in their order.
    """
    # The wide class is slow; most text is ASCII, and of the rest few characters are foreign.
    suspect = _HIDDEN.search("".join(_NOT_PLAIN.findall(text)))
    return _HIDDEN.finditer(text) if suspect else iter(())


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x0A:
        return "\\n"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    r"""Show every invisible character of a text, and every line feed, as an escape such as ``\u202e``.

    Parameters
    ----------
    text : str
        Any text, trusted or not.

    Returns
    -------
    str
        One line without control, bidirectional or other invisible characters.
    """
    return _UNSAFE_IN_A_LINE.sub(_escape, text)


def excerpt(text: str) -> str:
    """Quote a piece of a file for a message: visible, and cut at 80 characters.

    Parameters
    ----------
    text : str
        Text from a file, trusted or not.

    Returns
    -------
    str
        At most 80 characters; a cut is marked with three dots.
    """
    shown = visible(text[: _EXCERPT + 1])
    return shown if len(shown) <= _EXCERPT else shown[: _EXCERPT - 3] + "..."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a file, or could be better.

    Attributes
    ----------
    file : str
        The file, as the user named it.
    line, column : int
        Where it starts, counted from 1, in characters.
    severity : {"error", "advice"}
        An error blocks; advice does not.
    check : str
        The id of the check, as ``explain`` takes it.
    what : str
        What was found and what was expected, in plain words.
    fix : str
        What to do about it.
    """

    file: str
    line: int
    column: int
    severity: Severity
    check: str
    what: str
    fix: str

    def __post_init__(self) -> None:
        # The last gate before a terminal or a page: whoever made the message, it stays one visible line.
        for name in ("file", "what", "fix"):
            object.__setattr__(self, name, visible(getattr(self, name)))

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}:{self.column}  {self.severity}  {self.check}"
        return f"{head}\n    {self.what}\n    fix: {self.fix}"

    def to_dict(self) -> dict[str, str | int]:
        """Return the finding as a dict of text and whole numbers, ready for JSON.

        Returns
        -------
        dict
            The attributes by name, in their order.
        """
        return {name: getattr(self, name) for name in self.__slots__}


class ReadError(ValueError):
    """A file that cannot be read as what it should be.

    Parameters
    ----------
    findings : iterable of Finding
        All that is wrong, in the order of the file.

    Attributes
    ----------
    findings : tuple of Finding
        The same.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))

    def __reduce__(self) -> tuple[type["ReadError"], tuple[tuple[Finding, ...]]]:
        return type(self), (self.findings,)
