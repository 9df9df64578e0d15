"""What all tests share: programs that only some machines have."""

import os
import shutil
import subprocess

import pytest


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
