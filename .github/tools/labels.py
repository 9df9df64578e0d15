"""Choose the labels of a pull request by the paths that it changes."""  # noqa: INP001

import json
import sys
from fnmatch import fnmatchcase
from pathlib import Path


def labels(rules: dict[str, list[str]], files: list[str]) -> list[str]:
    """List the labels of which a pattern fits a path; `*` takes any characters, slashes too."""
    return [
        label
        for label, patterns in rules.items()
        if any(fnmatchcase(file, pattern) for file in files for pattern in patterns)
    ]


def main(rules: str, files: str) -> None:
    """Print {"labels": [...]} for a file of rules and a file with a list of paths."""
    paths = json.loads(Path(files).read_text(encoding="utf-8")) or []
    found = labels(json.loads(Path(rules).read_text(encoding="utf-8")), paths)
    sys.stdout.write(json.dumps({"labels": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
