"""The check of risk of bias: that domains and judgements are those of the tool."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from ipsevidence.dataset.checklist import Case, Problem, check, listed

__all__ = ["CHECKS_OF_BIAS", "TOOLS", "Tool"]


class Tool(NamedTuple):
    """A tool for the risk of bias of a result: its domains, in its order, and the judgements it knows."""

    domains: tuple[str, ...]
    judgements: tuple[str, ...]


TOOLS: Final[Mapping[str, Tool]] = MappingProxyType(
    {
        "rob-2": Tool(
            ("randomisation", "deviations", "missing-data", "measurement", "selection-of-result"),
            ("low", "some-concerns", "high"),
        ),
        "robins-i": Tool(
            (
                "confounding",
                "selection",
                "classification",
                "deviations",
                "missing-data",
                "measurement",
                "selection-of-result",
            ),
            ("low", "moderate", "high", "critical", "no-information"),
        ),
    }
)
"""The tools by their key in the vocabulary; the serious risk of ROBINS-I is `high` there."""


@check(
    "risk-of-bias-domains",
    "error",
    rule=(
        "Risk of bias is judged in every domain of its tool and in no other, and each judgement, `overall` too, is one "
        "that the tool has. "
        + "; ".join(f"`{key}`: {', '.join(tool.domains)} ({', '.join(tool.judgements)})" for key, tool in TOOLS.items())
        + "."
    ),
    why="Judgements are laid side by side by domain; one that is missing or of another tool has no place there.",
    fix="judge by the tool that is named, or name the tool by which was judged",
)
def _risk_of_bias_domains(case: Case) -> Iterator[Problem]:
    for index, outcome in enumerate(case.study.outcomes):
        bias = outcome.risk_of_bias
        if bias is None:
            continue
        tool = TOOLS[bias.tool]
        path = ("outcomes", index, "risk_of_bias")
        missing = [domain for domain in tool.domains if domain not in bias.domains]
        if missing:
            yield Problem((*path, "domains"), f"not judged: {listed(missing)}")
        for domain, judgement in bias.domains.items():
            if domain not in tool.domains:
                yield Problem((*path, "domains", domain), f"{domain} is no domain of {bias.tool}")
            elif judgement not in tool.judgements:
                yield Problem((*path, "domains", domain), f"{judgement} is no judgement of {bias.tool}")
        if bias.overall not in tool.judgements:
            yield Problem((*path, "overall"), f"{bias.overall} is no judgement of {bias.tool}")


CHECKS_OF_BIAS = (_risk_of_bias_domains,)
