"""Descriptions for search engines and other machines, by schema.org."""

from typing import TYPE_CHECKING, Any, Final

from ipsevidence.dataset.vocabulary import COUNTRY

if TYPE_CHECKING:
    from ipsevidence.dataset.record import Report, Study
    from ipsevidence.site.material import Material

__all__ = ["REPOSITORY", "articles", "dataset_description", "web_address"]

REPOSITORY: Final = "https://github.com/ipsevidence/ipsevidence"
"""Where records and code are developed."""

_CONTEXT: Final = "https://schema.org"
_MEDIA: Final = {
    "csv": "text/csv",
    "json": "application/json",
    "sqlite": "application/vnd.sqlite3",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
}


def web_address(url: str | None) -> str:
    """Return an address of the web as it is, and nothing for any other."""
    return url if url is not None and url.startswith(("https://", "http://")) else ""


def dataset_description(material: "Material", downloads: tuple[str, ...] = ()) -> dict[str, Any]:
    """Describe the dataset as a schema.org Dataset, with the paths of its downloads."""
    dataset = material.dataset
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "Dataset",
        "name": dataset.title,
        "description": (
            "Trials, pilots and services of Individual Placement and Support and related supported employment, each"
            " number beside its source and its basis. A curated collection, not a systematic search."
        ),
        "version": dataset.version,
        "identifier": f"sha256:{dataset.digest()}",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "creator": {"@type": "Organization", "name": "The ipsevidence contributors", "url": REPOSITORY},
        "isAccessibleForFree": True,
        "keywords": ["supported employment", "individual placement and support", "meta-analysis", "evidence synthesis"],
        "url": f"{material.address}data.html" if material.address else REPOSITORY,
    }
    if downloads:
        found["distribution"] = [
            {
                "@type": "DataDownload",
                "name": path.rpartition("/")[2],
                "contentUrl": material.address + path,
                "encodingFormat": _MEDIA[path.rpartition(".")[2]],
            }
            for path in downloads
        ]
    return found


def articles(study: "Study") -> list[dict[str, Any]]:
    """Describe the reports of a study that are papers as schema.org ScholarlyArticles."""
    return [
        _article(study, one) for one in study.reports if one.kind in ("journal-article", "protocol", "report", "thesis")
    ]


def _article(study: "Study", report: "Report") -> dict[str, Any]:
    kind = {"thesis": "Thesis", "report": "Report"}.get(report.kind, "ScholarlyArticle")
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": kind,
        "name": study.title if report.id == study.reports[0].id and study.title else report.citation,
        "citation": report.citation,
        "about": f"{study.population.description}; {', '.join(COUNTRY[one].label for one in study.design.countries)}",
    }
    if report.year is not None:
        found["datePublished"] = f"{report.year}"
    same = [
        *([f"https://doi.org/{report.doi}"] if report.doi else []),
        *([f"https://pubmed.ncbi.nlm.nih.gov/{report.pmid}/"] if report.pmid else []),
        *([report.url] if web_address(report.url) else []),
    ]
    if same:
        found["sameAs"] = same
    return found
