"""An example of what each check refuses, and of what it lets pass.

An example is a few keys of a record. Put into the clean record below, where they take the place of keys of the same
name, the wrong ones make the check find something and no other check, and the right ones are clean: the tests do so.
"""

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["EXAMPLES", "Example", "assembled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An example of a check, as text of YAML.

    Attributes
    ----------
    wrong, right : str
        Keys with their values.
    inside : {'record', 'outcome', 'file'}
        Where the keys stand: at the top of a record, in an outcome, or nowhere: then they are the whole file.
    beside_wrong, beside_right : str
        Keys at the top of another record, for checks of records together.
    encoding : str
        In which `wrong` is saved.
    note : str
        What the text cannot show.
    """

    wrong: str
    right: str
    inside: Literal["record", "outcome", "file"] = "record"
    beside_wrong: str = ""
    beside_right: str = ""
    encoding: str = "utf-8"
    note: str = ""


_RECORD: Final = """\
schema: 1
id: example-2020
label: Example 2020
status: included
reports:
  - {id: main, kind: journal-article, citation: "Example A. J Ex 2020;1:1-9", year: 2020, doi: 10.1234/example.1}
sources:
  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}
design: {type: rct, countries: ["NO"], follow_up_months: 12, registration: NCT00000001}
population: {analysis_group: smi, severe_mental_illness: "yes", description: unemployed adults with psychosis}
arms:
  - {id: ips, treatment: ips, allocation: randomised, label: IPS, n_randomised: {value: 150, basis: reported, from: s1}}
  - {id: usual, treatment: treatment-as-usual, allocation: randomised, label: usual care}
"""
_OUTCOME: Final = """\
    id: job-12m
    concept: competitive-employment
    definition: any competitive job by month 12
    measured: {to: 12, window: cumulative}
    readings:
      - {arm: ips, kind: count, of: randomised, n: 150, events: 60, from: s1, basis: reported}
      - {arm: usual, kind: count, of: randomised, n: 140, events: 35, from: s1, basis: reported}
"""
_LAST: Final = 'log:\n  - {date: "2026-11-21", did: extracted}\n'
_BESIDE: Final = """\
schema: 1
id: second-2021
label: Second 2021
status: included
reports:
  - {id: main, kind: journal-article, citation: "Second B. J Ex 2021;2:1-9", year: 2021, doi: 10.1234/second.1}
sources:
  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}
design: {type: single-arm, countries: ["NO"], registration: NCT00000002}
population: {analysis_group: smi, severe_mental_illness: "yes", description: unemployed adults with psychosis}
arms:
  - {id: ips, treatment: ips, allocation: not-randomised, label: IPS}
"""


def assembled(example: Example, which: Literal["wrong", "right"]) -> dict[str, bytes]:
    """Put an example into the records that surround it.

    Parameters
    ----------
    example : Example
        The example.
    which : {'wrong', 'right'}
        Which of its two forms.

    Returns
    -------
    dict of str to bytes
        The content of each file by its name without extension: ``example-2020``, and ``second-2021`` for an example
        with another record beside it.
    """
    keys = example.wrong if which == "wrong" else example.right
    beside = example.beside_wrong if which == "wrong" else example.beside_right
    encoding = example.encoding if which == "wrong" else "utf-8"
    outcome = _OUTCOME
    if example.inside == "outcome":
        outcome = _replaced(_OUTCOME, "".join(f"    {line}\n" for line in keys.splitlines()))
        keys = ""
    outcomes = f"outcomes:\n  - {outcome.lstrip(' ')}"
    text = keys if example.inside == "file" else _replaced(_RECORD + outcomes + _LAST, keys)
    files = {"example-2020": text.encode(encoding)}
    if example.beside_wrong or example.beside_right:
        files["second-2021"] = _replaced(_BESIDE + _LAST, beside).encode()
    return files


def _replaced(record: str, keys: str) -> str:
    """Return a record with keys in the place of its own of the same name, and those that it has not at its end."""
    indent = re.match(" *", record)[0]  # type: ignore[index]
    start = re.compile(rf"^{indent}([a-z_]+):", re.MULTILINE)
    names = set(start.findall(keys))
    parts = re.split(rf"^(?={indent}[a-z_]+:)", record, flags=re.MULTILINE)
    kept = "".join(part for part in parts if not set(start.findall(part)) & names)
    return kept + (keys if not keys or keys.endswith("\n") else f"{keys}\n")


def _of_outcome(wrong: str, right: str, note: str = "") -> Example:
    return Example(wrong=wrong, right=right, inside="outcome", note=note)


def _of_reading(wrong: str, right: str) -> Example:
    """Return an example that is a reading of the first arm from the abstract; given is what differs."""
    line = "readings:\n  - {{arm: ips, {}, from: s1, basis: reported}}"
    return _of_outcome(line.format(wrong), line.format(right))


def _of_effect(wrong: str, right: str) -> Example:
    """Return an example that is an effect printed for the two arms (60 of 150 and 35 of 140)."""
    line = "published:\n  - {{of: ips, against: usual, {}, from: s1, basis: reported}}"
    return _of_outcome(line.format(wrong), line.format(right), "the outcome counts 60 of 150 and 35 of 140")


def _of_overlaps(wrong: str, right: str, beside_wrong: str, beside_right: str) -> Example:
    line = "overlaps_with: [{{id: {}, how: the same site}}]\n"
    return Example(
        wrong=line.format(wrong),
        right=line.format(right),
        beside_wrong=line.format(beside_wrong) if beside_wrong else "label: Second 2021\n",
        beside_right=line.format(beside_right),
    )


_ROB = "risk_of_bias:\n  tool: rob-2\n  domains: {{randomisation: low, deviations: low, missing-data: low, {}}}\n"
_ROB_END = '  overall: low\n  by: [A. Reader, B. Reader]\n  date: "2026-11-21"\n'
_OUTCOME_TWICE = """\
outcomes:
  - id: job-12m
    concept: competitive-employment
    definition: any competitive job by month 12
    measured: {to: 12, window: cumulative}
    readings: [{arm: ips, kind: count, of: randomised, n: 150, events: 60, from: s1, basis: reported}]
  - id: %s
    concept: %s
    definition: %s by month 12
    measured: {to: 12, window: cumulative}
    readings: [{arm: ips, kind: count, of: randomised, n: 150, events: 66, from: s1, basis: reported}]
"""
_OVER_TIME = """\
outcomes:
  - id: job-6m
    concept: competitive-employment
    definition: any competitive job by month 6
    measured: {to: 6, window: cumulative}
    readings: [{arm: ips, kind: count, of: randomised, n: 150, events: %s, from: s1, basis: reported}]
  - id: job-12m
    concept: competitive-employment
    definition: any competitive job by month 12
    measured: {to: 12, window: cumulative}
    readings: [{arm: ips, kind: count, of: randomised, n: 150, events: 60, from: s1, basis: reported}]
"""
_OPEN = """\
readings:
  - {arm: ips, kind: count, of: randomised, n: 150, events: {value: 70, basis: %s, as_printed: "%s"}, from: s1,
     basis: reported}
"""
_ALTERNATIVES = """\
alternatives:
  - {kind: %s, of: randomised, arms: [ips], counts: %s, because: "%s of 150"}
"""
_ARMS = """\
design: {type: %s, countries: ["NO"], follow_up_months: 12}
arms:
  - {id: ips, treatment: ips, allocation: %s, label: IPS}
  - {id: usual, treatment: treatment-as-usual, allocation: %s, label: usual care}
"""

_OF_COUNTS: Final = {
    "counts-exceed-n": _of_reading(
        "kind: count, of: randomised, n: 150, events: 160", "kind: count, of: randomised, n: 150, events: 60"
    ),
    "percent-does-not-fit": _of_reading(
        'kind: count, of: randomised, n: 150, events: {value: 45, as_printed: "32%"}',
        'kind: count, of: randomised, n: 150, events: {value: 48, as_printed: "32%"}',
    ),
    "percent-of-n-not-unique": _of_reading(
        "kind: count, of: randomised, n: 150, "
        'events: {value: 70, basis: derived, rule: percent-of-n, as_printed: "47%"}',
        "kind: count, of: randomised, n: 150, "
        'events: {value: 70, basis: derived, rule: percent-of-n, as_printed: "46.7%"}',
    ),
    "rule-arithmetic": Example(
        wrong='participants: [{value: 290, what: enrolled, basis: derived, rule: "150 + 130", from: s1}]',
        right='participants: [{value: 290, what: enrolled, basis: derived, rule: "150 + 140", from: s1}]',
    ),
    "basis-against-rule": Example(
        wrong="participants: [{value: 280, what: analysed, basis: derived, from: s1}]",
        right='participants: [{value: 280, what: analysed, basis: derived, rule: "290 - 10", from: s1}]',
    ),
    "qualified-count": _of_outcome(
        "readings:\n  - {arm: ips, kind: count, of: randomised, n: 150, "
        "events: {value: 60, basis: reported, qualifier: at least}, from: s1, basis: reported}",
        "readings:\n  - {arm: ips, kind: count, of: randomised, n: 150, "
        "events: {value: 60, basis: bounded, qualifier: at least}, from: s1, basis: reported}\n"
        "alternatives:\n  - {kind: disagreement, of: randomised, arms: [ips], counts: [[60, 150], [61, 150]], "
        "because: another source prints 61}",
    ),
    "qualified-number": Example(
        wrong="participants: [{value: 300, what: screened, as_printed: over 300, basis: reported, from: s1}]",
        right="participants: [{value: 300, what: screened, as_printed: over 300, qualifier: over, basis: reported, "
        "from: s1}]",
    ),
    "n-against-randomised": _of_reading(
        "kind: count, of: randomised, n: 146, events: 60", "kind: count, of: analysed, n: 146, events: 60"
    ),
    "reading-twice": _of_outcome(
        "readings:\n"
        "  - {arm: ips, kind: count, of: randomised, n: 150, events: 60, from: s1, basis: reported}\n"
        "  - {arm: ips, kind: count, of: randomised, n: 150, events: 61, from: s1, basis: reported}",
        "readings:\n"
        "  - {arm: ips, kind: count, of: randomised, n: 150, events: 60, from: s1, basis: reported}\n"
        "  - {arm: ips, kind: count, of: analysed, n: 146, events: 60, from: s1, basis: reported}",
    ),
    "count-falls-over-time": Example(wrong=_OVER_TIME % 61, right=_OVER_TIME % 45),
    "value-out-of-range": _of_effect(
        "measure: RD, estimate: 15, adjusted: true", "measure: percentage-points, estimate: 15, adjusted: true"
    ),
    "bounded-needs-alternatives": _of_outcome(
        _OPEN % ("bounded", "47%"),
        _OPEN % ("bounded", "47%") + _ALTERNATIVES % ("rounding", "[[70, 150], [71, 150]]", "47%"),
    ),
    "approximate-needs-nearest": _of_outcome(
        _OPEN % ("approximate", "46.9%"),
        _OPEN % ("approximate", "46.9%") + _ALTERNATIVES % ("nearest", "[[70, 150], [71, 150]]", "46.9%"),
    ),
    "alternatives-fit": _of_outcome(
        _OPEN % ("bounded", "47%") + _ALTERNATIVES % ("rounding", "[[70, 150], [71, 150], [72, 150]]", "47%"),
        _OPEN % ("bounded", "47%") + _ALTERNATIVES % ("rounding", "[[70, 150], [71, 150]]", "47%"),
    ),
    "alternatives-incomplete": Example(
        wrong="readings:\n  - {arm: ips, kind: count, of: entrants, n: 300, events: {value: 140, basis: bounded, "
        'as_printed: "47%"}, from: s1, basis: reported}\n'
        "alternatives:\n  - {kind: rounding, of: entrants, arms: [ips], counts: [[140, 300], [141, 300]], "
        "because: 47%}",
        right="readings:\n  - {arm: ips, kind: count, of: entrants, n: 300, events: {value: 140, basis: bounded, "
        'as_printed: "47%"}, from: s1, basis: reported}\n'
        "alternatives:\n  - {kind: rounding, of: entrants, arms: [ips], counts: [[140, 300], [141, 300], [142, 300]], "
        "because: 47%}",
        inside="outcome",
    ),
    "joint-fit-not-unique": _of_reading(
        'kind: count, of: randomised, n: 150, events: {value: 70, basis: derived, rule: joint-fit, as_printed: "47%"}',
        "kind: count, of: randomised, n: 150, "
        'events: {value: 70, basis: derived, rule: joint-fit, as_printed: "46.7%"}',
    ),
    "sd-looks-like-se": _of_reading(
        "kind: mean, unit: weeks worked, n: 150, mean: 15.2, sd: 1.3",
        "kind: mean, unit: weeks worked, n: 150, mean: 15.2, sd: 15.9",
    ),
}

_OF_EFFECTS: Final = {
    "published-effect-does-not-recompute": _of_effect(
        "measure: OR, estimate: 2.31, ci: [1.38, 3.87]", "measure: OR, estimate: 2.31, ci: [1.38, 3.87], adjusted: true"
    ),
    "estimate-outside-interval": _of_effect(
        "measure: HR, estimate: 1.06, ci: [1.13, 2.26]", "measure: HR, estimate: 1.60, ci: [1.13, 2.26]"
    ),
    "interval-not-log-symmetric": _of_effect(
        "measure: HR, estimate: 1.60, ci: [1.13, 2.86]", "measure: HR, estimate: 1.60, ci: [1.13, 2.26]"
    ),
    "p-against-chi-square": _of_effect(
        'measure: chi-square, estimate: 7.40, p: ".065"', 'measure: chi-square, estimate: 7.40, p: ".007"'
    ),
    "p-against-counts": _of_effect('measure: p-value, p: ".07"', 'measure: p-value, p: ".007"'),
    "outcomes-tie": Example(
        wrong=_OUTCOME_TWICE % ("any-job-12m", "competitive-employment", "any job in the open market"),
        right=_OUTCOME_TWICE % ("any-job-12m", "any-paid-work", "any paid job"),
    ),
    "stated-with-counts": Example(
        wrong="stated:\n  - {of: ips, against: usual, concept: competitive-employment, months: 12, "
        'direction: favours-intervention, significant: "yes", as_printed: more had a job, from: s1}',
        right="stated:\n  - {of: ips, against: usual, concept: job-retention, months: 12, "
        'direction: favours-intervention, significant: "yes", as_printed: jobs lasted longer, from: s1}',
        note="the record has the counts of competitive employment at month 12",
    ),
    "fidelity-out-of-range": Example(
        wrong="fidelity: [{scale: ips-25, arm: ips, score: {value: 4.2, basis: reported, from: s1}, maximum: 125}]",
        right="fidelity: [{scale: ips-25, arm: ips, score: {value: 105, basis: reported, from: s1}, maximum: 125}]",
    ),
    "fidelity-without-number": Example(
        wrong="fidelity: [{scale: ips-25, arm: ips, note: a review was planned}]",
        right="fidelity: [{scale: ips-25, arm: ips, label_as_printed: good fidelity, from: s1}]",
    ),
    "risk-of-bias-domains": _of_outcome(
        _ROB.format("measurement: low") + _ROB_END,
        _ROB.format("measurement: low, selection-of-result: low") + _ROB_END,
    ),
}

_OF_SOURCES: Final = {
    "id-is-file-name": Example(
        wrong="id: example-2021", right="id: example-2020", note="in the file studies/example-2020.yaml"
    ),
    "duplicate-ids": Example(
        wrong="arms:\n  - {id: ips, treatment: ips, allocation: randomised, label: IPS}\n"
        "  - {id: usual, treatment: treatment-as-usual, allocation: randomised, label: usual care}\n"
        "  - {id: usual, treatment: waiting-list, allocation: randomised, label: waiting list}",
        right="arms:\n  - {id: ips, treatment: ips, allocation: randomised, label: IPS}\n"
        "  - {id: usual, treatment: treatment-as-usual, allocation: randomised, label: usual care}\n"
        "  - {id: waiting, treatment: waiting-list, allocation: randomised, label: waiting list}",
    ),
    "number-without-source": Example(
        wrong="participants: [{value: 280, what: analysed}]",
        right="participants: [{value: 280, what: analysed, basis: reported, from: s1}]",
    ),
    "source-does-not-resolve": Example(
        wrong="facts: [{what: months to the first job, as_printed: about four, from: s2}]",
        right="facts: [{what: months to the first job, as_printed: about four, from: s1}]",
        note="the record has one source, s1",
    ),
    "report-does-not-resolve": Example(
        wrong='sources:\n  s1: {report: man, kind: abstract, read: abstract, date: "2026-11-21"}',
        right='sources:\n  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}',
    ),
    "arm-does-not-resolve": Example(
        wrong="fidelity: [{scale: ips-25, arm: isp, label_as_printed: good, from: s1}]",
        right="fidelity: [{scale: ips-25, arm: ips, label_as_printed: good, from: s1}]",
    ),
    "source-not-read": Example(
        wrong='sources:\n  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}\n'
        '  s2: {report: main, kind: full-text, read: none, date: "2026-11-21"}\n'
        "participants: [{value: 280, what: analysed, basis: reported, from: s2}]",
        right='sources:\n  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}\n'
        '  s2: {report: main, kind: full-text, read: part, date: "2026-11-21"}\n'
        "participants: [{value: 280, what: analysed, basis: reported, from: s2}]",
    ),
    "read-against-kind": Example(
        wrong='sources:\n  s1: {report: main, kind: full-text, read: abstract, date: "2026-11-21"}',
        right='sources:\n  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}',
    ),
    "reconstructed-without-wanted": Example(
        wrong="participants: [{value: 280, what: analysed, basis: reconstructed, rule: from memory, from: s1}]",
        right="participants: [{value: 280, what: analysed, basis: reconstructed, rule: from memory, from: s1}]\n"
        "wanted: [{what: persons analysed, where: flow chart of the paper}]",
    ),
    "secondary-only": Example(
        wrong='sources:\n  s1: {cite: "Review B. J Rev 2022", kind: secondary, read: part, date: "2026-11-21"}',
        right='sources:\n  s1: {report: main, kind: full-text, read: part, date: "2026-11-21"}',
        note="both counts of the record are from s1",
    ),
    "untidy-text": Example(wrong='label: "Example  2020 "', right="label: Example 2020"),
    "accept-without-finding": Example(
        wrong='accept: [{check: outcome-after-follow-up, by: the editors, date: "2026-11-21", because: prolonged}]',
        right='design: {type: rct, countries: ["NO"], follow_up_months: 6}\n'
        'accept: [{check: outcome-after-follow-up, by: the editors, date: "2026-11-21", because: prolonged}]',
        note="the outcome is measured at month 12",
    ),
    "year-against-citation": Example(
        wrong='reports: [{id: main, kind: journal-article, citation: "Example A. J Ex 2020;1:1-9", year: 2002}]',
        right='reports: [{id: main, kind: journal-article, citation: "Example A. J Ex 2020;1:1-9", year: 2020}]',
    ),
}

_ENTERED: Final = """\
design: {type: single-arm, countries: ["NO"], registration: NCT00000001}
participants: [{value: %d, what: enrolled, basis: reported, from: s1}]
arms:
  - {id: ips, treatment: ips, allocation: not-randomised, label: IPS, n_entered: {value: 87, basis: reported, from: s1}}
outcomes: []
"""
_OUTCOME_MEASURED: Final = "measured: {to: %d, window: cumulative}"

_OF_DESIGN: Final = {
    "trial-without-comparator": Example(
        wrong=_ARMS % ("rct", "randomised", "not-randomised"), right=_ARMS % ("rct", "randomised", "randomised")
    ),
    "allocation-against-design": Example(
        wrong=_ARMS % ("quasi-experimental", "randomised", "not-randomised"),
        right=_ARMS % ("quasi-experimental", "not-randomised", "not-randomised"),
    ),
    "cluster-without-icc": Example(
        wrong=_ARMS % ("cluster-rct", "cluster-randomised", "cluster-randomised"),
        right=_ARMS
        % ("cluster-rct, icc: {value: 0.02, basis: reported, from: s1}", "cluster-randomised", "cluster-randomised"),
    ),
    "arms-do-not-sum": Example(
        wrong="participants: [{value: 300, what: randomised, basis: reported, from: s1}]\n"
        "arms:\n  - {id: ips, treatment: ips, allocation: randomised, label: IPS, "
        "n_randomised: {value: 150, basis: reported, from: s1}}\n"
        "  - {id: usual, treatment: treatment-as-usual, allocation: randomised, label: usual care, "
        "n_randomised: {value: 140, basis: reported, from: s1}}",
        right="participants: [{value: 300, what: enrolled, basis: reported, from: s1}, "
        '{value: 290, what: randomised, basis: derived, rule: "150 + 140", from: s1}]\n'
        "arms:\n  - {id: ips, treatment: ips, allocation: randomised, label: IPS, "
        "n_randomised: {value: 150, basis: reported, from: s1}}\n"
        "  - {id: usual, treatment: treatment-as-usual, allocation: randomised, label: usual care, "
        "n_randomised: {value: 140, basis: reported, from: s1}}",
    ),
    "entered-against-participants": Example(
        wrong=_ENTERED % 78,
        right=_ENTERED % 87,
        note="the other arms have no size",
    ),
    "participants-twice": Example(
        wrong="participants:\n  - {value: 280, what: analysed, basis: reported, from: s1}\n"
        "  - {value: 270, what: analysed, basis: reported, from: s1}",
        right="participants:\n  - {value: 280, what: analysed, basis: reported, from: s1}\n"
        "  - {value: 270, what: analysed, qualifier: at month 24, basis: reported, from: s1}",
    ),
    "status-needs-reason": Example(
        wrong="status: excluded", right="status: excluded\nstatus_reason: the programme was not supported employment"
    ),
    "measured-window": _of_outcome("measured: {window: cumulative}", "measured: {to: 12, window: cumulative}"),
    "months-against-id": Example(
        wrong=_OUTCOME_MEASURED % 11, right=_OUTCOME_MEASURED % 12, note="the id is job-12m", inside="outcome"
    ),
    "outcome-after-follow-up": Example(
        wrong='design: {type: rct, countries: ["NO"], follow_up_months: 6}',
        right='design: {type: rct, countries: ["NO"], follow_up_months: 12}',
        note="the outcome is measured at month 12",
    ),
    "group-against-illness": Example(
        wrong='population: {analysis_group: smi, severe_mental_illness: "no", description: adults with depression}',
        right='population: {analysis_group: affective-common, severe_mental_illness: "no", '
        "description: adults with depression}",
    ),
    "paper-in-two-records": Example(
        wrong='design: {type: rct, countries: ["NO"], registration: NCT00000002}',
        right='design: {type: rct, countries: ["NO"], registration: NCT00000001}',
        beside_wrong='design: {type: single-arm, countries: ["NO"], registration: NCT00000002}',
        beside_right='design: {type: single-arm, countries: ["NO"], registration: NCT00000002}',
    ),
    "overlap-does-not-resolve": _of_overlaps("secund-2021", "second-2021", "", "example-2020"),
    "overlap-not-mutual": _of_overlaps("second-2021", "second-2021", "", "example-2020"),
    "former-id-in-use": Example(
        wrong="former_ids: [second-2021]",
        right="former_ids: [example-2019]",
        beside_wrong="label: Second 2021",
        beside_right="label: Second 2021",
    ),
}

_MANY_VALUES = ", ".join(["1"] * 20_001)
_OF_FILES: Final = {
    "too-large": Example(wrong=f"notes: {'word ' * 60_000}end", right="notes: Some words.", note="300 kB of text"),
    "not-utf8": Example(
        wrong="label: Bjørn 2020", right="label: Bjørn 2020", encoding="latin-1", note="saved as Latin-1, then as UTF-8"
    ),
    "byte-order-mark": Example(
        wrong="\ufeff" + _RECORD + _LAST, right=_RECORD + _LAST, inside="file", note="\\ufeff stands for the mark"
    ),
    "hidden-character": Example(
        wrong="label: Exam\u200bple 2020", right="label: Example 2020", note="\\u200b stands for a space of no width"
    ),
    "tab": Example(
        wrong='log:\n\t- {date: "2026-11-21", did: extracted}',
        right='log:\n  - {date: "2026-11-21", did: extracted}',
        note="\\x09 stands for a tab",
    ),
    "too-deep": Example(wrong=f"tags: {'[' * 40}ptsd{']' * 40}", right="notes: Some words."),
    "too-many-nodes": Example(
        wrong=f"former_ids: [{_MANY_VALUES}]", right="former_ids: [example-2019]", note="20,001 values"
    ),
    "too-many-findings": Example(
        wrong="former_ids: [" + ", ".join(["NO"] * 201) + "]", right="former_ids: [example-2019]", note="201 times NO"
    ),
    "syntax": Example(wrong="label: Example: 2020", right='label: "Example: 2020"'),
    "empty-file": Example(wrong="", right=_RECORD + _LAST, inside="file", note="the wrong file is empty"),
    "not-a-mapping": Example(wrong="- schema: 1\n- id: example-2020\n", right=_RECORD + _LAST, inside="file"),
    "comment": Example(wrong="label: Example 2020 # ask the authors", right="notes: Ask the authors."),
    "anchor": Example(wrong="label: &name Example 2020", right="label: Example 2020"),
    "alias": Example(wrong="notes: *important", right='notes: "*important"'),
    "tag": Example(wrong="label: !!str 2020", right='label: "2020"'),
    "directive": Example(
        wrong="%YAML 1.1\n---\n" + _RECORD + _LAST, right=_RECORD + _LAST, inside="file", note="the first line"
    ),
    "second-document": Example(
        wrong=_RECORD + _LAST + "---\nlabel: Another\n", right=_RECORD + _LAST, inside="file", note="the last two lines"
    ),
    "merge-key": Example(
        wrong='design: {<<: {type: rct}, type: rct, countries: ["NO"]}', right='design: {type: rct, countries: ["NO"]}'
    ),
    "duplicate-key": Example(wrong="label: Example 2020\nlabel: Example 2021", right="label: Example 2020"),
    "bad-key": Example(
        wrong='sources:\n  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}\n'
        '  no: {cite: "Review B. J Rev 2022", kind: secondary, read: part, date: "2026-11-21"}',
        right='sources:\n  s1: {report: main, kind: abstract, read: abstract, date: "2026-11-21"}\n'
        '  s2: {cite: "Review B. J Rev 2022", kind: secondary, read: part, date: "2026-11-21"}',
    ),
    "ambiguous-scalar": Example(
        wrong="design: {type: rct, countries: [NO]}", right='design: {type: rct, countries: ["NO"]}'
    ),
    "empty-value": Example(wrong="notes:", right="notes: Some words."),
    "comma-in-number": _of_effect(
        "measure: HR, estimate: 1.6, ci: [1,13]", "measure: HR, estimate: 1.60, ci: [1.13, 2.26]"
    ),
    "unknown-key": Example(wrong="labl: Example 2020\nlabel: Example 2020", right="label: Example 2020"),
    "missing-key": Example(
        wrong='design: {countries: ["NO"]}',
        right='design: {type: rct, countries: ["NO"]}',
        note="the design has no type",
    ),
    "wrong-type": Example(
        wrong='participants: [{value: "280", what: analysed, basis: reported, from: s1}]',
        right="participants: [{value: 280, what: analysed, basis: reported, from: s1}]",
    ),
    "not-in-list": Example(wrong="status: finished", right="status: included"),
    "out-of-range": Example(
        wrong='reports:\n  - {id: main, kind: journal-article, citation: "Example A. J Ex 2020", year: 202}',
        right='reports:\n  - {id: main, kind: journal-article, citation: "Example A. J Ex 2020", year: 2020}',
    ),
    "wrong-length": Example(wrong="design: {type: rct, countries: []}", right='design: {type: rct, countries: ["NO"]}'),
    "wrong-form": Example(
        wrong="log: [{date: 21 November 2026, did: extracted}]", right='log: [{date: "2026-11-21", did: extracted}]'
    ),
    "invalid-value": Example(
        wrong="participants: [{low: 290, high: 280, what: screened, basis: reported, from: s1}]",
        right="participants: [{low: 280, high: 290, what: screened, basis: reported, from: s1}]",
    ),
}

EXAMPLES: Final = MappingProxyType(_OF_COUNTS | _OF_EFFECTS | _OF_SOURCES | _OF_DESIGN | _OF_FILES)
"""An example for every check of records and of the reader, by its id."""
