"""What `report` does: the whole report of one analysis, in a folder."""

from pathlib import Path

from ipsevidence.terminal.output import envelope, origin, say

__all__ = ["reported"]


def reported(spec: str, out: Path, data: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Run an analysis, write its whole report, and say which files there are."""
    from ipsevidence.analysis.reproduction import reproduce
    from ipsevidence.dataset.collection import load
    from ipsevidence.report.page import write_report

    dataset = load(data)
    written = write_report(reproduce(spec, dataset), out, dataset, whole=True)
    names = sorted(path.relative_to(out).as_posix() for path in written)
    if as_json:
        envelope("report", {"folder": str(out), "files": names}, [origin(dataset)])
    elif not quiet:
        say(f"report of {spec}: {out / 'report.html'}")
        say(f"{len(names)} files in {out}: {', '.join(name for name in names if '/' not in name)}; tables/*.csv")
        say(f"{origin(dataset)}; version {dataset.version}")
