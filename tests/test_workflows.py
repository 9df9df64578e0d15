"""The workflows give a stranger's pull request nothing to use, and its text nothing to do."""

import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
WRITERS = {
    ("comment.yml", "pull-requests"),
    ("pages.yml", "id-token"),
    ("pages.yml", "pages"),
    ("release.yml", "contents"),
}


def load(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["on"] = document.pop(True)  # YAML 1.1 reads `on` as true
    return document


DOCUMENTS = {path.name: load(path) for path in WORKFLOWS}
JOBS = [(name, key, job) for name, document in DOCUMENTS.items() for key, job in document["jobs"].items()]
STEPS = [(name, step) for name, _, job in JOBS for step in job["steps"]]


def tool(name):
    spec = importlib.util.spec_from_file_location(name, GITHUB / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- the workflows -----------------------------------------------------------------------------------------------


def test_there_are_the_workflows_there_should_be():
    assert set(DOCUMENTS) == {"ci.yml", "pull-request.yml", "comment.yml", "pages.yml", "release.yml"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_rights_are_the_least_and_said(name):
    document = DOCUMENTS[name]
    assert document["permissions"] in ({}, {"contents": "read"})
    written = {
        (name, right)
        for job in document["jobs"].values()
        for right, level in job.get("permissions", {}).items()
        if level != "read"
    }
    assert written <= WRITERS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_workflow_runs_on_a_trigger_that_mixes_strange_code_with_our_rights(name):
    text = (GITHUB / "workflows" / name).read_text(encoding="utf-8")
    assert rights_given_away(DOCUMENTS[name]["on"], text) == []


def rights_given_away(triggers, text):
    """List what would let the code of a pull request use our rights."""
    found = sorted({"pull_request_target", "issue_comment", "issues"} & set(triggers))
    if "pull_request" in triggers:
        found += [word for word in ("secrets.", "github.token", ": write") if word in text]
    return found


@pytest.mark.parametrize(("name", "key", "job"), JOBS, ids=[f"{name}-{key}" for name, key, _ in JOBS])
def test_every_job_ends_and_runs_where_it_says(name, key, job):
    del name, key
    assert 0 < job["timeout-minutes"] <= 30
    assert re.fullmatch(r"ubuntu-\d\d\.04", job["runs-on"])


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_every_action_is_pinned_and_no_script_has_an_expression_in_it(name, step):
    assert ("uses" in step) != ("run" in step)
    assert open_to_strangers(step) == []
    if "uses" in step:
        line = next(line for line in (GITHUB / "workflows" / name).read_text().splitlines() if step["uses"] in line)
        assert re.search(r"# v\d+\.\d+\.\d+$", line)


def open_to_strangers(step):
    """List where a step lets strange text into a script, or strange code into a run."""
    uses = step.get("uses", "")
    found = re.findall(r"\$\{\{.*", step.get("run", ""))
    if uses and not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", uses):
        found.append(uses)
    if uses.startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
        found.append("persist-credentials")
    return found


def strange_code(job):
    """List what a job would take of a pull request: another checkout than ours, or an artifact unpacked."""
    uses = [(step.get("uses", ""), step.get("with", {})) for step in job["steps"]]
    ours = "${{ github.event.repository.default_branch }}"
    found = [given.get("ref", "") for name, given in uses if "checkout@" in name and given.get("ref") != ours]
    return found + [name for name, _ in uses if "download-artifact" in name]  # it would unpack


def test_the_job_that_writes_takes_only_our_own_code():
    (job,) = DOCUMENTS["comment.yml"]["jobs"].values()
    assert strange_code(job) == []
    runs = "\n".join(step.get("run", "") for step in job["steps"])
    assert set(re.findall(r"python3 (\S+)", runs)) == {".github/tools/labels.py", ".github/tools/comment.py"}
    assert not re.search(r"\b(make|pip|bash|sh|unzip|eval|source|git)\b", runs)
    assert re.findall(r"--method (?:POST|PATCH) \"(\S+)\"", runs) == [
        "repos/$REPOSITORY/issues/$NUMBER/labels",
        "repos/$REPOSITORY/issues/comments/$comment",
        "repos/$REPOSITORY/issues/$NUMBER/comments",
    ]


def test_only_the_default_branch_is_published():
    build, deploy = (DOCUMENTS["pages.yml"]["jobs"][key] for key in ("build", "deploy"))
    assert build["if"] == "${{ github.ref_name == github.event.repository.default_branch }}"
    assert deploy["needs"] == "build"
    assert [step["uses"].partition("@")[0] for step in deploy["steps"]] == ["actions/deploy-pages"]


def test_only_the_default_branch_is_released():
    job = DOCUMENTS["release.yml"]["jobs"]["build"]
    assert job["if"] == "${{ github.ref_name == github.event.repository.default_branch }}"
    assert DOCUMENTS["release.yml"]["jobs"]["publish"]["needs"] == "build"


def test_scripts_parse():
    for _, step in STEPS:
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_zizmor_finds_nothing():
    """Actionlint has no package that brings its program along; the job `workflows` of ci.yml runs it."""
    program = Path(sys.executable).with_name("zizmor")
    command = [program, "--offline", "--persona", "pedantic", "--no-progress", GITHUB]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


# -- what surrounds them -----------------------------------------------------------------------------------------


def test_five_boxes():
    text = (GITHUB / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")
    assert text.count("- [ ] ") == 5


def test_code_owners_name_places_that_exist_and_nobody_that_the_guide_does_not_name():
    lines = (GITHUB / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    assert rules[0][0] == "*"
    assert all(re.fullmatch(r"@[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?", owner) for rule in rules for owner in rule[1:])
    assert all((ROOT / rule[0].strip("/")).is_dir() for rule in rules[1:])
    guide = (ROOT / "REVIEWING.md").read_text(encoding="utf-8")
    said = re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$", guide, re.MULTILINE)
    assert [(path, " ".join(owners) or "-") for path, *owners in rules] == said


def test_dependabot_looks_at_actions_and_packages():
    document = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))
    assert {update["package-ecosystem"] for update in document["updates"]} == {"github-actions", "pip"}


def test_zenodo_and_citation_name_the_versions_there_are():
    import ipsevidence
    from ipsevidence.dataset.collection import load as load_data

    zenodo = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    assert zenodo["version"] == load_data(ROOT).version
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == ipsevidence.__version__


# -- labels ------------------------------------------------------------------------------------------------------


def test_labels_by_path(tmp_path):
    rules = json.loads((GITHUB / "labels.json").read_text(encoding="utf-8"))
    labels = tool("labels").labels
    assert labels(rules, ["studies/harris-2024.yaml"]) == ["data"]
    assert labels(rules, ["analyses/results/primary.json"]) == ["results moved"]
    assert labels(rules, ["analyses/primary.yaml", "README.md"]) == ["analyses", "documentation"]
    assert labels(rules, ["ipsevidence/core/tau2.py"]) == ["statistics", "code"]
    assert labels(rules, ["\n::error::x", "-rf", "$(id)"]) == []
    files = tmp_path / "files.json"
    files.write_text('["studies/x.yaml"]')
    told = subprocess.run(
        [sys.executable, GITHUB / "tools" / "labels.py", GITHUB / "labels.json", files], capture_output=True, check=True
    )
    assert json.loads(told.stdout) == {"labels": ["data"]}


def test_every_path_of_a_label_exists():
    rules = json.loads((GITHUB / "labels.json").read_text(encoding="utf-8"))
    assert all(any(ROOT.glob(pattern)) for patterns in rules.values() for pattern in patterns)


# -- the comment -------------------------------------------------------------------------------------------------

URL = "https://github.com/ipsevidence/ipsevidence/actions/runs/7"


def inside_the_fence(body):
    """Return the lines inside the fences and those outside, by the rule of CommonMark."""
    within, outside, fence = [], [], ""
    for line in body.split("\n"):
        opening = re.match(r"(`{3,})[^`]*$", line)
        if fence and re.fullmatch(rf"`{{{len(fence)},}}\s*", line):
            fence = ""
        elif fence:
            within.append(line)
        elif opening:
            fence = opening.group(1)
        else:
            outside.append(line)
    assert not fence, "a fence that is not closed"
    return within, outside


@pytest.mark.parametrize(
    "evil",
    [
        "````\n<script>alert(1)</script>\n@everyone",
        "`" * 500 + "\n[x](javascript:alert(1))",
        "<!-- ipsevidence: effect -->",
        "</details>\n![](https://tracker.example/x.png)",
        "@maintainers fixes #1",
        "~~~\nx",
        "$(id) ${{ secrets.X }}",
    ],
)
def test_strange_text_stays_inside_its_fence(evil):
    tools = tool("comment")
    body = tools.comment(evil, evil, "success", URL, "a" * 40)
    within, outside = inside_the_fence(body)
    assert within == [*evil.split("\n"), *evil.split("\n")]
    assert outside[0] == tools.MARK
    plain = tools.comment("x", "x", "success", URL, "a" * 40)
    assert outside == inside_the_fence(plain)[1]


def test_the_comment_is_bounded_and_visible():
    tools = tool("comment")
    body = tools.comment("x" * 10**6, "y\n" * 10**6, "success", URL, "a" * 40)
    assert len(body) < 65_536
    assert "Cut here" in body
    assert "\u202e" not in tools.comment("a\u202eb\x1b[31m\r\u200b", "", "success", URL, "a" * 40)


def test_what_github_says_is_shown_only_in_its_form():
    body = tool("comment").comment("x", "", "<b>", "https://evil.example/) [x](y", "z")
    assert "evil" not in body
    assert "<b>" not in body


def test_an_archive_is_read_and_never_unpacked(tmp_path):
    tools = tool("comment")
    archive = tmp_path / "effect.zip"
    assert tools.text_in(archive, "effect.txt") == ""
    archive.write_bytes(b"PK not a zip")
    assert tools.text_in(archive, "effect.txt") == ""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("../../outside.txt", "x")
        opened.writestr("effect.txt", b"\xff" + b"0" * 50_000_000)  # 50 MB out of 50 kB
    text = tools.text_in(archive, "effect.txt")
    assert len(text) <= 4 * tools.LONGEST
    assert [path.name for path in tmp_path.iterdir()] == ["effect.zip"]
    assert tools.text_in(archive, "findings.txt") == ""


def test_a_run_without_a_comparison_gives_a_comment_that_says_so(tmp_path):
    told = subprocess.run(
        [sys.executable, GITHUB / "tools" / "comment.py", tmp_path / "no.zip", "failure", URL, "b" * 40],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.startswith("<!-- ipsevidence: effect -->\n")
    assert f"Checks: failure ([run]({URL}))" in told
    assert "There is no comparison" in told
