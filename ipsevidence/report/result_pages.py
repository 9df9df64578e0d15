"""Pages of results, made from the committed result files: they say what those say, and nothing is pooled here."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ipsevidence.analysis.absolutes import MODELS
from ipsevidence.analysis.across import CLAIMS, MULTIVERSE
from ipsevidence.analysis.resultfiles import read_result, result_path
from ipsevidence.analysis.specfiles import find_review, review_files, spec_files
from ipsevidence.core import MEASURES
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, DIRECTION
from ipsevidence.figures.numbers import EN_DASH, Numerals
from ipsevidence.report.choices_page import choices_text
from ipsevidence.report.claims_page import claims_text
from ipsevidence.report.markdown import FROM_RESULTS, cell, markdown_table
from ipsevidence.report.services_page import services_text

__all__ = ["RESULT_PAGES", "Results", "results_of"]

Results = Mapping[str, Mapping[str, Any]]
"""Committed results by the id of their analysis."""

_RATIO: Final = Numerals()
_DIFFERENCE: Final = Numerals(ratio=False)


def results_of(root: Path) -> dict[str, dict[str, Any]]:
    """Read the committed results of every analysis that ships with the data and has one."""
    found = {}
    for name in spec_files(root):
        path = result_path(root, name)
        if path.is_file():
            found[name] = read_result(path)
    return found


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _write(measure: str) -> Numerals:
    return _RATIO if MEASURES[measure].scale == "log" else _DIFFERENCE


def _effect(shown: Mapping[str, Any]) -> str:
    """Write ``2.70 (2.03 to 3.59)`` from what is shown of a result."""
    write = _write(shown["measure"])
    low, high = (_number(bound) for bound in shown["ci"])
    value = write.effect(_number(shown["estimate"]))
    return value if math.isnan(low) else f"{value} ({write.effect(low)} to {write.effect(high)})"


def _prediction(shown: Mapping[str, Any]) -> str:
    write = _write(shown["measure"])
    low, high = (_number(bound) for bound in shown["prediction"])
    return EN_DASH if math.isnan(low) else f"{write.effect(low)} to {write.effect(high)}"


def _result(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return effect and prediction interval, or the reason why there is no pool."""
    result = document["result"]
    if "shown" not in result:
        return str(result.get("not_applicable", "")), EN_DASH
    return _effect(result["shown"]), _prediction(result["shown"])


def _coverage(document: Mapping[str, Any]) -> tuple[str, str]:
    coverage = document.get("coverage", {})
    if "eligible" not in coverage:
        return f"{len(document['inputs'])}", f"{document['participants']['analysed']:,.0f}"
    return (
        f"{coverage['k']} of {coverage['eligible']}",
        f"{_number(coverage['headline']):,.0f} of {_number(coverage['known']):,.0f}",
    )


def _bounds(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return the pool with the absent trials at no effect and at their stated effect, as shown."""
    measure = document["spec"]["effect"]["measure"]
    back, write = MEASURES[measure].back, _write(measure)
    found = {bound["key"]: bound for bound in document.get("coverage", {}).get("bounds", [])}

    def one(key: str) -> str:
        estimate = found.get(key, {}).get("estimate")
        return EN_DASH if estimate is None else write.effect(float(back(float(estimate))))

    return one("no-effect"), one("stated")


def _per100(document: Mapping[str, Any]) -> str:
    """Say the absolute answer at the middle baseline: ``25: +36 (26 to 45)``."""
    found = document.get("absolutes", {})
    if "answers" not in found:
        return EN_DASH
    baselines = found["baselines"]
    middle = baselines[(len(baselines) - 1) // 2]
    answer = next((a for a in found["answers"] if (a["baseline"], a["model"]) == (middle, found["headline"])), None)
    if answer is None:
        return EN_DASH
    low, high = (_number(answer["difference_ci"][end]) for end in ("low", "high"))
    bounds = "" if math.isnan(low) else f" ({_hundred(low)} to {_hundred(high)})"
    return f"{_hundred(middle)}: {_hundred(answer['difference'])}{bounds}, {MODELS[answer['model']]}"


def _hundred(share: float) -> str:
    return _DIFFERENCE.fixed(100 * share, 0)


_HEADLINE: Final = (
    "Analysis",
    "Trials in the pool of those eligible",
    "Participants in it of those known",
    "Effect (95% CI)",
    "Prediction interval",
    "Odds ratio (95% CI)",
    "Of 100, without: more in work with",
    "If absent trials had no effect",
    "If they had their stated effect",
)


def _headline_rows(documents: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    for document in sorted(documents, key=_place):
        effect, prediction = _result(document)
        shown = f"{_named(document)} {effect}" if "shown" in document["result"] else effect
        numbers = (shown, prediction, _odds_ratio(document), _per100(document))
        yield (_short(document), *_coverage(document), *numbers, *_bounds(document))


def _odds_ratio(document: Mapping[str, Any]) -> str:
    """Return the pooled odds ratio of the sensitivity analysis of that name; a dash where there is none."""
    found: Mapping[str, Any] = next((one["result"] for one in document["sensitivity"] if one["id"] == "odds-ratio"), {})
    if "estimate" not in found:
        return EN_DASH
    ends = (found["estimate"], found["ci"]["low"], found["ci"]["high"])
    estimate, low, high = (_RATIO.effect(math.exp(float(end))) for end in ends)
    return f"{estimate} ({low} to {high})"


def _named(document: Mapping[str, Any]) -> str:
    """Return the measure by its usual letters, or by what it is called where these say nothing."""
    key = str(document["spec"]["effect"]["measure"])
    return key if MEASURES[key].needs == "two-by-two" else MEASURES[key].label.partition(" (")[0]


def _short(document: Mapping[str, Any]) -> str:
    """Return the title, without the question where it is the primary one of the part."""
    title = str(document["spec"]["title"])
    _, _, tail = title.partition(": ")
    return tail[:1].upper() + tail[1:] if tail and str(document["id"]).startswith("primary") else title


def _place(document: Mapping[str, Any]) -> tuple[int, str]:
    """Put all trials before the groups, and the groups in the order of the vocabulary."""
    name = str(document["id"]).removeprefix("primary-")
    order = ["primary", "beyond-smi", *ANALYSIS_GROUP]
    return (order.index(name) if name in order else len(order), name)


_FAMILIES: Final[tuple[tuple[str, str, Callable[[str], bool]], ...]] = (
    (
        "The primary question, by population",
        "Any competitive job at the time nearest 18 months within 12 to 24; plain or adapted IPS; randomised trials.",
        lambda name: name == "primary" or (name.startswith("primary-") and not name.startswith("primary-by-")),
    ),
    (
        "Other outcomes and windows",
        "Each is an analysis of its own.",
        lambda name: (
            name.split("-")[0] in {"any", "steady", "competitive", "employed", "work", "education"}
            and not name.startswith("any-by-")
        ),
    ),
    ("Other contrasts", "", lambda name: name.split("-")[0] in {"augmented", "bundle", "supported", "quasi"}),
    ("Overlapping tags", "One trial may stand in several of these.", lambda name: name.startswith("tag-")),
    ("Rates of single groups", "", lambda name: name.startswith("rate-")),
    ("Fidelity", "", lambda name: name.startswith("fidelity-")),
)
"""Parts of the page: title, a sentence, and which analyses stand there."""


def _front(results: Results, _: Dataset) -> str:
    intro = (
        f"{FROM_RESULTS}\n# Results\n\n"
        "What every analysis gives, from the result files that are committed and checked with"
        " each change. A curated collection, not a systematic search. The last two columns are the pool as it would be"
        " if the eligible trials that give no number had no effect, and if each had the effect that is stated of it:"
        " they are part of the answer, and no bounds of it. Trials set aside for a doubt, and those of unknown size,"
        " are in neither.\n\nSee also [claims](claims.md), [the main analyses by other choices](multiverse.md),"
        " [groups compared](groups.md), [published reviews run again](reproductions.md), [rates of"
        " services](services.md) and [what would change this](what-would-change.md).\n"
    )
    parts = [intro]
    for title, sentence, belongs in _FAMILIES:
        rows = list(_headline_rows(document for name, document in results.items() if belongs(name)))
        parts.append(f"\n## {title}\n\n" + (f"{sentence}\n\n" if sentence else "") + markdown_table(_HEADLINE, rows))
    return "".join(parts)


def _groups(results: Results, _: Dataset) -> str:
    intro = (
        f"{FROM_RESULTS}\n# Groups compared\n\n"
        "Groups of the same trials by what the records say. Groups are tested against"
        " each other where each has five trials or more; the ratio is of the effects, each group against the first."
        " Groups differ in more than what they are named by: the last column says what their trials count, and when.\n"
    )
    parts = [intro]
    for document in results.values():
        if "subgroups" not in document["spec"] or document["spec"]["purpose"] != "living":
            continue
        rows = []
        for group in sorted(document["groups"], key=_place_of_group):
            if group["k"] == 0:
                continue
            result = group["result"]
            effect = _effect(result["shown"]) if "shown" in result else str(result.get("not_applicable", ""))
            rows.append((group["label"], f"{group['k']}", effect, _what_it_counts(document, group["id"])))
        heads = ("Group", "Trials", "Effect (95% CI)", "Outcomes, and months of follow-up")
        parts.append(f"\n## {cell(document['spec']['title'])}\n\n" + markdown_table(heads, rows))
        parts.append("\n" + _compared(document))
    return "".join(parts)


def _what_it_counts(document: Mapping[str, Any], group: str) -> str:
    """Say which outcomes the trials of a group have, and at which months."""
    rows = [row["extra"] for row in document["inputs"] if row.get("group") == group]
    concepts = Counter(str(row.get("concept", "")) for row in rows)
    months = sorted(float(row["months"]) for row in rows if "months" in row)
    when = f"; months {months[0]:g} to {months[-1]:g}, median {statistics.median(months):g}" if months else ""
    return ", ".join(f"{name} ({count})" for name, count in concepts.most_common()) + when


def _place_of_group(group: Mapping[str, Any]) -> int:
    """Put populations in the order of the vocabulary; other groups stay as the analysis has them."""
    order = list(ANALYSIS_GROUP)
    return order.index(group["id"]) if group["id"] in order else 0


def _compared(document: Mapping[str, Any]) -> str:
    if not document["contrasts"]:
        reason = str((document["between"] or {}).get("not_applicable", ""))
        return f"{cell(reason[:1].upper() + reason[1:])}.\n" if reason else ""
    ratio = MEASURES[document["spec"]["effect"]["measure"]].scale == "log"
    write, back = (_RATIO, math.exp) if ratio else (_DIFFERENCE, float)
    lines = [
        f"{one['first']} against {one['second']}: {'ratio of effects' if ratio else 'difference'}"
        f" {write.effect(back(one['difference']))}"
        f" ({write.effect(back(one['ci'][0]))} to {write.effect(back(one['ci'][1]))}), p {_RATIO.p_value(one['p'])}."
        for one in document["contrasts"]
    ]
    return "".join(f"{cell(line)}\n" for line in lines)


def _reproductions(results: Results, dataset: Dataset) -> str:
    run_again: dict[str, list[Mapping[str, Any]]] = {}
    for document in results.values():
        if document["spec"].get("review"):
            run_again.setdefault(str(document["spec"]["review"]), []).append(document)
    done: list[tuple[str, ...]] = []
    open_: list[tuple[str, ...]] = []
    for name in review_files(dataset.root):
        review = find_review(name, dataset.root)
        done.extend((review.label, str(document["id"]), *_verdicts(document)) for document in run_again.get(name, []))
        if name not in run_again:
            main = next((e for e in review.estimates if e.estimate is not None), None)
            printed = f"{main.measure} {main.estimate}: {main.outcome}" if main else EN_DASH
            wanted = "; ".join(f"{one.what} ({one.where})" for one in review.wanted[:1])
            open_.append((review.label, printed, wanted or "nothing was pooled, or nothing of it was read"))
    return (
        f"{FROM_RESULTS}\n# Published reviews, run again\n\n"
        "Each review whose trials could be identified is run again, and every published figure set beside the computed"
        " one; the analysis says by which method, and whether the review states it. *Unverified* means that the figure"
        " was not read or that an input was chosen to match it; *second-hand* that another source gives it;"
        " *other-inputs* that the counts of the review were not read and ours stand in for them, so that a difference"
        " says nothing of the review.\n\n"
        + markdown_table(("Review", "Analysis", "Published", "Computed", "Verdict on it", "All verdicts"), done)
        + "\n## Cannot be checked\n\nWhat would unlock a check is in the last column.\n\n"
        + markdown_table(("Review", "Published", "Wanted"), open_)
    )


def _verdicts(document: Mapping[str, Any]) -> tuple[str, str, str, str]:
    verdicts = document["verdicts"]
    first = next((v for v in verdicts if v["quantity"] == "estimate"), verdicts[0] if verdicts else None)
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[verdict["verdict"]] = counts.get(verdict["verdict"], 0) + 1
    if first is None:
        return EN_DASH, EN_DASH, EN_DASH, EN_DASH
    published = str(first["published"])
    label, verdict_on_it = str(first["label"]), str(first["verdict"])
    digits = len(published.partition(".")[2])
    shown = _DIFFERENCE.fixed(_number(first["computed"]), digits)
    every = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    return f"{published} ({label})", shown, verdict_on_it, every


def _changes(results: Results, dataset: Dataset) -> str:
    document = results["primary"]
    coverage, unlocks = document["coverage"], document["unlocks"]
    stated = {one["id"]: one["direction"] for one in coverage["absent"]}
    rows = []
    for one in unlocks:
        study = dataset[one["id"]]
        wanted = "; ".join(dict.fromkeys(f"{item.what} ({item.where})" for item in study.wanted))
        size = _number(one["participants"])
        rows.append(
            (
                study.label,
                EN_DASH if math.isnan(size) else f"{size:,.0f}",
                DIRECTION[stated[one["id"]]].label if stated.get(one["id"]) else EN_DASH,
                _ratio(one["at_no_effect"]),
                _ratio(one["at_stated"]),
                wanted or EN_DASH,
            )
        )
    heads = (
        "Trial",
        "Participants",
        "Stated",
        "Risk ratio if it had no effect",
        "if it had its stated effect",
        "Wanted numbers",
    )
    return (
        f"{FROM_RESULTS}\n# What would change this\n\n"
        "Eligible trials that are not in the primary pool, the largest first."
        " Each is put into the pool alone, as if it had had no effect and as if it had had the effect stated of it;"
        " the pool is"
        f" {_result(document)[0]} as it is. Have one of these papers in hand? The numbers in the last column are what"
        " is missing.\n\n" + markdown_table(heads, rows)
    )


def _ratio(value: Any) -> str:
    number = _number(value)
    return EN_DASH if math.isnan(number) else _RATIO.effect(math.exp(number))


RESULT_PAGES: Final[dict[str, Callable[[Results, Dataset], str]]] = {
    "results/README.md": _front,
    "results/groups.md": _groups,
    "results/reproductions.md": _reproductions,
    "results/what-would-change.md": _changes,
    "results/claims.md": lambda _, dataset: claims_text(read_result(result_path(dataset.root, CLAIMS))),
    "results/multiverse.md": lambda _, dataset: choices_text(read_result(result_path(dataset.root, MULTIVERSE))),
    "results/services.md": lambda _, dataset: services_text(dataset),
}
"""The generated pages of results by file name."""
