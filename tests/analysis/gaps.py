"""Made-up trials with gaps: absent ones of every kind, and counts that the sources leave open."""

from ipsevidence.dataset.collection import load
from tests.toy import ABOUT, TWO_ARMS, outcome, study

STATED = (
    "  - {{of: ips, against: tau, concept: {concept}, months: {months}, direction: {direction},"
    ' significant: "{p}", as_printed: words, from: s1}}\n'
)
WANTED = 'wanted:\n  - {what: counts, where: "Table 2", unlocks: the pool}\n'
PUBLISHED = (
    "    published:\n"
    "      - {{of: ips, against: tau, measure: {measure}, estimate: {estimate},{ci} from: s1, basis: reported}}\n"
)
ALTERNATIVES = "    alternatives:\n"
PERCENT = "      - {{arm: {arm}, kind: percent, percent: {{value: {value}{qualifier}}}, from: s1, basis: {basis}}}\n"
ENTRY = "      - {{kind: {kind}, of: {of}, arms: [{arms}], counts: [{counts}], because: made up}}\n"


def pair(a, n1, c, n2, basis="reported"):
    return [("ips", a, n1, basis), ("tau", c, n2, basis)]


def stated(*entries):
    lines = [STATED.format(concept=c, months=m, direction=d, p=p) for c, m, d, p in entries]
    return "stated:\n" + "".join(lines)


def published(measure, estimate, ci=None):
    bounds = f" ci: [{ci[0]}, {ci[1]}]," if ci else ""
    return PUBLISHED.format(measure=measure, estimate=estimate, ci=bounds)


def percents(*entries, basis="reported", qualifier=""):
    """Return readings of percents alone; each entry is an arm and its percent."""
    said = f", qualifier: {qualifier}" if qualifier else ""
    return "    readings:\n" + "".join(
        PERCENT.format(arm=arm, value=value, basis=basis, qualifier=said) for arm, value in entries
    )


def sets(*entries):
    """Return alternatives; each entry is its arms and its rows of counts."""
    text = "".join(
        ENTRY.format(kind="rounding", of=of, arms=", ".join(arms), counts=", ".join(str(list(row)) for row in rows))
        for of, arms, rows in entries
    )
    return ALTERNATIVES + text


def bare(name, concept="education", months=18, extra=""):
    """Return an outcome without readings."""
    text = outcome(name, [], concept=concept, months=months)
    return text.replace("    readings:\n", "") + extra


def sized(text, value=100, ips=None, tau=None):
    """Return a record with another size, and with arms as randomised where these are given."""
    text = text.replace("{value: 100, what: randomised", f"{{value: {value}, what: randomised")
    for arm, n in (("ips", ips), ("tau", tau)):
        if n is not None:
            count = f"n_randomised: {{value: {n}, basis: reported, from: s1}}"
            text = text.replace(
                f"allocation: randomised, label: {arm}}}", f"allocation: randomised, label: {arm}, {count}}}"
            )
    return text


def unsized(text):
    start = text.index("participants:")
    return text[:start] + text[text.index("arms:") :]


POOL = {
    # control risk 0.3 and risk ratio 2 in each
    "a-2001": study("a-2001", TWO_ARMS, [outcome("job", pair(30, 50, 15, 50))]),
    "b-2002": study("b-2002", TWO_ARMS, [outcome("job", pair(24, 40, 12, 40))]),
    "c-2003": study("c-2003", TWO_ARMS, [outcome("job", pair(18, 30, 9, 30))]),
}
ABSENT = {
    "favours-2004": study("favours-2004", TWO_ARMS, [bare("x")])
    + stated(("competitive-employment", 18, "favours-intervention", "yes"))
    + WANTED,
    "same-2005": study("same-2005", TWO_ARMS, [bare("x")]) + stated(("employed-at-date", 15, "no-difference", "no")),
    "printed-2006": sized(
        study(
            "printed-2006",
            TWO_ARMS,
            [bare("job", "competitive-employment", 6, published("RR", "1.50", ("0.60", "3.75")))],
        ),
        400,
    )
    + WANTED,
    "points-2007": sized(
        study("points-2007", TWO_ARMS, [bare("kept", "sustained-job", 12, published("percentage-points", "10"))]),
        100,
        60,
        40,
    ),
    "counts-2008": study("counts-2008", TWO_ARMS, [outcome("paid", pair(20, 50, 10, 50), concept="any-paid-work")]),
    "weak-2009": study("weak-2009", TWO_ARMS, [outcome("job", pair(40, 50, 10, 50, "reconstructed"))]),
    "skew-2010": study(
        "skew-2010",
        TWO_ARMS,
        [bare("job", "competitive-employment", 24, published("RR", "2.81", ("1.98", "7.37")))],
    ),
    "mixed-2011": study("mixed-2011", TWO_ARMS, [bare("x")])
    + stated(
        ("sustained-job", 12, "no-difference", "no"),
        ("job-retention", 12, "favours-intervention", "not-stated"),
        ("earnings", 18, "favours-intervention", "yes"),
    ),
    "worse-2012": study("worse-2012", TWO_ARMS, [bare("x")])
    + stated(("competitive-employment", 18, "favours-comparator", "not-stated")),
    "unsized-2013": unsized(study("unsized-2013", TWO_ARMS, [bare("x")])) + WANTED,
    "clusters-2014": study("clusters-2014", TWO_ARMS, [bare("x")], design="cluster-rct"),
}


def dataset(root, records):
    (root / "studies").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for name, text in records.items():
        (root / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load(root)
