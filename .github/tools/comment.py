"""Make the comment on a pull request out of what another run handed on; its text is a stranger's."""  # noqa: INP001

import re
import sys
import unicodedata
import zipfile
from pathlib import Path

MARK = "<!-- ipsevidence: effect -->"
LONGEST = 20_000
MOST_LINES = 400
_SHA = re.compile(r"[0-9a-f]{40}")
_URL = re.compile(r"https://github\.com/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/actions/runs/[0-9]+")
_CONCLUSIONS = ("success", "failure", "cancelled", "timed_out", "action_required")


def text_in(archive: Path, name: str) -> str:
    """Read one text from a zip archive without unpacking it: never more than is shown, whatever it claims to hold."""
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(name) as stream:
            return stream.read(4 * LONGEST).decode("utf-8", "replace")
    except Exception:  # noqa: BLE001 - the archive may be anybody's, and each way of packing has its own errors
        return ""


def fenced(text: str) -> str:
    """Put text into a fence that it cannot leave: nothing in it is Markdown, HTML, a link or a mention any more."""
    shown = "".join(character if _is_plain(character) else "\N{REPLACEMENT CHARACTER}" for character in text[:LONGEST])
    lines = shown.split("\n")
    cut = len(text) > LONGEST or len(lines) > MOST_LINES
    shown = "\n".join(lines[:MOST_LINES]).rstrip()
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(4, longest + 1)
    return f"{fence}text\n{shown}\n{fence}\n" + ("\nCut here; the run has the whole.\n" if cut else "")


def _is_plain(character: str) -> bool:
    return character == "\n" or not (
        unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
        or (unicodedata.category(character) == "Zs" and character != " ")
    )


def comment(effect: str, findings: str, conclusion: str, url: str, sha: str) -> str:
    """Write the comment: what the change does to the results, then what `validate` found.

    Parameters
    ----------
    effect, findings : str
        What the run of the pull request printed; anything at all may stand in them.
    conclusion, url, sha : str
        Of that run, as GitHub says; each is shown only where it has its form.

    Returns
    -------
    str
        Markdown that starts with `MARK`; the texts are fenced, and cut so that all is below GitHub's 65,536 characters.
    """
    ended = conclusion if conclusion in _CONCLUSIONS else "unknown"
    at = f" at {sha[:12]}" if _SHA.fullmatch(sha) else ""
    run = f" ([run]({url}))" if _URL.fullmatch(url) else ""
    parts = [
        MARK,
        f"### Effect of the change{at}",
        f"Checks: {ended}{run}. The text below comes from the pull request.",
    ]
    parts.append(fenced(effect) if effect.strip() else "There is no comparison; the run says why.\n")
    if findings.strip():
        parts += ["<details><summary>What validate says</summary>\n", fenced(findings[:LONGEST]), "</details>\n"]
    return "\n\n".join(parts)


def main(archive: str, conclusion: str, url: str, sha: str) -> None:
    """Print the comment for an archive, which may be missing."""
    effect, findings = (text_in(Path(archive), name) for name in ("effect.txt", "findings.txt"))
    sys.stdout.write(comment(effect, findings, conclusion, url, sha))


if __name__ == "__main__":
    main(*sys.argv[1:])
