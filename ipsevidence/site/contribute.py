"""How to take part: a trial that is missing, a number that is wrong."""

from typing import TYPE_CHECKING

from ipsevidence.site.schema_org import REPOSITORY
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.site.material import Material

__all__ = ["files"]


def files(material: "Material") -> dict[str, bytes]:
    """Make the page."""
    root = material.dataset.root
    text = page(
        "contribute.html.j2",
        path="contribute.html",
        title="Contribute",
        description="A trial that is missing, a number that is wrong, a number that you have: a quarter of an hour.",
        here="contribute",
        repository=REPOSITORY,
        guides=[
            (path, label)
            for path, file, label in (
                ("contributing.html", "CONTRIBUTING.md", "The guide, step by step, with what you see"),
                ("reviewing.html", "REVIEWING.md", "What a reviewer looks at"),
            )
            if (root / file).is_file()
        ],
    )
    return {"contribute.html": text.encode()}
