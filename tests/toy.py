"""A small dataset of made-up trials, one for each way a study can enter an analysis or stay out."""

import json

ABOUT = """schema: 1
version: "2000.1"
title: made-up trials
released: "2000-01-01"
license: CC-BY-4.0
scope: for tests
"""


def not_entered(words):
    """Return what is said in studies/_dataset.yaml of a study that waits for the next version."""
    quoted = json.dumps(words, ensure_ascii=False)
    fields = (
        f"{{citation: {quoted}, registration: {quoted}, url: 'https://example.org/x', why: {quoted}, effect: {quoted}}}"
    )
    return f"not_entered: [{fields}]\n"


HEAD = """schema: 1
id: {id}
label: {label}
status: {status}
reports:
  - {{id: main, kind: journal-article, citation: "{label}. A journal", year: 2001}}
sources:
  s1: {{report: main, kind: abstract, read: abstract, date: "2000-01-01"}}
design: {{type: {design}, countries: ["US"]}}
population: {{analysis_group: {group}, tags: [{group}], severe_mental_illness: "no", description: made up}}
participants:
  - {{value: 100, what: randomised, basis: reported, from: s1}}
arms:
"""
ARM = "  - {{id: {id}, treatment: {treatment}, allocation: {allocation}, label: {id}}}\n"
OUTCOME = """  - id: {id}
    concept: {concept}
    definition: made up
    measured: {{to: {months}, window: {window}}}
    readings:
"""
READING = "      - {{arm: {arm}, kind: count, of: {of}, n: {n}, events: {events}, from: s1, basis: {basis}}}\n"
LOG = 'log:\n  - {did: made up, date: "2000-01-01"}\n'


def outcome(name, arms, *, concept="competitive-employment", months=18, window="cumulative", of="randomised"):
    head = OUTCOME.format(id=name, concept=concept, months=months, window=window)
    return head + "".join(
        READING.format(arm=arm, of=of, n=n, events=events, basis=basis) for arm, events, n, basis in arms
    )


def study(name, arms, outcomes, *, status="included", design="rct", group="smi"):
    text = HEAD.format(id=name, label=name.upper(), status=status, design=design, group=group)
    text += "".join(ARM.format(id=a, treatment=t, allocation=al) for a, t, al in arms)
    return text + "outcomes:\n" + "".join(outcomes) + LOG


TWO_ARMS = [("ips", "ips", "randomised"), ("tau", "treatment-as-usual", "randomised")]
PLAIN = [("ips", 30, 50, "reported"), ("tau", 15, 50, "reported")]

STUDIES = {
    "alpha-2001": study("alpha-2001", TWO_ARMS, [outcome("job", PLAIN)]),
    "beta-2002": study(
        "beta-2002",
        TWO_ARMS,
        [
            outcome("job-12", [("ips", 20, 40, "reported"), ("tau", 10, 40, "reported")], months=12),
            outcome("job-24", [("ips", 24, 40, "reported"), ("tau", 12, 40, "reported")], months=24),
            outcome("job-6", [("ips", 5, 40, "reported"), ("tau", 4, 40, "reported")], months=6),
            outcome("study", [("ips", 7, 40, "reported"), ("tau", 6, 40, "reported")], concept="education"),
        ],
        group="justice",
    ),
    "gamma-2003": study(
        "gamma-2003",
        [
            *TWO_ARMS,
            ("work", "train-then-place", "randomised"),
            ("other", "treatment-as-usual", "not-randomised"),
        ],
        [
            outcome(
                "job",
                [
                    ("ips", 18, 30, "reported"),
                    ("tau", 9, 30, "reported"),
                    ("work", 6, 30, "reported"),
                    ("other", 1, 30, "reported"),
                ],
            )
        ],
        design="pilot-rct",
    ),
    "delta-2004": study(
        "delta-2004",
        TWO_ARMS,
        [outcome("job", [("ips", 9, 20, "reconstructed"), ("tau", 5, 20, "reported")])],
    ),
    "epsilon-2005": study("epsilon-2005", TWO_ARMS, [outcome("job", PLAIN)], design="quasi-experimental"),
    "zeta-2006": study("zeta-2006", TWO_ARMS, [outcome("job", PLAIN[:1])]),
    "eta-2007": study("eta-2007", TWO_ARMS, [outcome("job", PLAIN, window="point")]),
    "theta-2008": study("theta-2008", TWO_ARMS, [outcome("job", PLAIN)], status="awaiting"),
    "iota-2009": study("iota-2009", TWO_ARMS, [outcome("job", [("ips", 0, 9, "reported"), ("tau", 0, 8, "reported")])]),
    "kappa-2010": study(
        "kappa-2010",
        TWO_ARMS,
        [
            outcome("job", [("ips", 14, 33, "reported"), ("tau", 1, 28, "reported")])
            + "".join(
                READING.format(arm=arm, of="analysed", n=n, events=events, basis="reported")
                for arm, events, n in (("ips", 14, 33), ("tau", 1, 25))
            )
        ],
    ),
}
