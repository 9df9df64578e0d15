"""Claims: what is said of IPS, with the verdict of the data and what it rests on, as committed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ipsevidence.analysis.claimfiles import VERDICTS, claim_files, find_claim
from ipsevidence.figures.numbers import Numerals
from ipsevidence.site.schema_org import web_address
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.site.material import Material

__all__ = ["files"]

_WRITE: Final = Numerals()
_SIGNS: Final = {"supported": "+", "contradicted": "−", "imprecise": "?", "not-testable": "·"}


def files(material: "Material") -> dict[str, bytes]:
    """Make the page of claims."""
    known = claim_files(material.dataset.root)
    claims = list(material.claims.values())
    text = page(
        "claims.html.j2",
        path="claims.html",
        title="Claims",
        description="What is said of Individual Placement and Support, held against the data by rules written before.",
        here="claims",
        parts=[
            (
                verdict,
                verdict.replace("-", " "),
                meaning,
                _SIGNS[verdict],
                [c for c in claims if c["verdict"] == verdict],
            )
            for verdict, meaning in VERDICTS.items()
        ],
        number=len(claims),
        stated={
            claim["id"]: [
                (
                    source.cite,
                    web_address(source.url) or (f"https://doi.org/{source.doi}" if source.doi else ""),
                    source.as_printed,
                )
                for source in find_claim(claim["id"], material.dataset.root).stated_by
            ]
            for claim in claims
            if claim["id"] in known
        },
        ground=_ground,
    )
    return {"claims.html": text.encode()}


def _ground(one: Mapping[str, Any]) -> str:
    """Say what a verdict rests on: the pool, or why there is none."""
    if one["estimate"] is None:
        return str(one["why"] or "no estimate")
    text = f"{one['measure']} {_WRITE.effect(one['estimate'])}"
    if one["low"] is not None:
        text += f" (95% CI {_WRITE.range(one['low'], one['high'])})"
    if one["prediction_low"] is not None:
        text += f", prediction interval {_WRITE.range(one['prediction_low'], one['prediction_high'])}"
    of = f" of {one['eligible']} eligible" if one["eligible"] is not None else ""
    people = f", {one['participants']:,.0f} participants" if one["participants"] is not None else ""
    return f"{text}; {one['k']}{of} studies{people}"
