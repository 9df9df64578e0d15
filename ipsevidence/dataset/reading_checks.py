"""What the reader checks, and the findings on one file as they are collected."""

from typing import NamedTuple, NoReturn

from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.tree import Mark

__all__ = ["CHECKS", "Notes", "Rule", "StopReadingError"]

_SHOWN = 200


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


class StopReadingError(Exception):
    """The rest of the file cannot be understood; the findings so far are what there is."""


class Notes:
    """The findings of one file, collected."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def add(self, mark: Mark, check: str, what: str, fix: str = "") -> None:
        """Note a finding; `StopReadingError` where there are too many to show."""
        if len(self.findings) > _SHOWN:
            raise StopReadingError
        fix = fix or _as_clause(CHECKS[check].fix)
        self.findings.append(Finding(self.file, mark.line, mark.column, "error", check, what, fix))

    def stop(self, mark: Mark, check: str, what: str, fix: str = "") -> NoReturn:
        """Note a finding after which the rest cannot be understood, and raise `StopReadingError`."""
        self.add(mark, check, what, fix)
        raise StopReadingError

    def sorted(self) -> tuple[Finding, ...]:
        """Return the findings in the order of the file, no more than can be shown."""
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
