"""What all tests share: programs that only some machines have, and a small dataset of made-up trials."""

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, settings

from ipsevidence.dataset.collection import load

from .toy import ABOUT, STUDIES

# No test asserts wall time, so none has a deadline; the gate draws the same examples each time.
settings.register_profile(
    "project",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("project")


@pytest.fixture(scope="session")
def rscript():
    """Path of Rscript with metafor; without it the test skips, or fails where everything is required."""
    program = shutil.which("Rscript")
    libraries = "quit(status = !all(sapply(c('metafor', 'metadat', 'jsonlite'), requireNamespace, quietly = TRUE)))"
    if program and subprocess.run([program, "-e", libraries], capture_output=True, check=False).returncode == 0:
        return program
    if os.environ.get("IPSEVIDENCE_REQUIRE_ALL"):
        pytest.fail("Rscript with metafor, metadat and jsonlite is required here and was not found")
    pytest.skip("needs Rscript with metafor, metadat and jsonlite")


@pytest.fixture(scope="session")
def browser():
    """Chromium, by playwright; without it the test skips, or fails where everything is required."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("IPSEVIDENCE_REQUIRE_ALL"):
            pytest.fail("chromium is required here and was not found")
        pytest.skip("needs chromium")
    from playwright.sync_api import sync_playwright

    flags = (
        "--no-sandbox",  # it shows our own pages only, and refuses to run as root with it
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    )
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, headless=True, args=list(flags))
        yield running
        running.close()


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    root = tmp_path_factory.mktemp("toy")
    (root / "studies").mkdir()
    (root / "analyses").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for name, text in STUDIES.items():
        (root / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load(root)


@pytest.fixture
def spec_of():
    from ipsevidence.analysis.spec import Spec

    def make(**fields):
        question = dict.fromkeys(("population", "intervention", "comparator", "outcome"), "made up")
        base = {"schema": 1, "id": "toy", "title": "toy", "purpose": "living", "question": question}
        # What a living analysis has to say where it pools several concepts or a list; a test may take it away.
        outcome = {"composite": "made up", **fields.pop("outcome", {})}
        return Spec.model_validate({**base, "studies": {"where": {}}, "outcome": outcome, **fields})

    return make
