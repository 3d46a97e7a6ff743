"""The rule of `tests/conftest.py`: where CI is set, a skip of a live, peer or system test is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"
SKIPPING_MODULES = {
    "test_inside.py": "import pytest\ndef test_it():\n    pytest.skip('no root')\n",
    "test_marked.py": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it():\n    pass\n",
    "test_whole.py": "import pytest\npytest.skip('no tool', allow_module_level=True)\n",
}


def test_in_ci_every_skip_fails_where_all_must_run(tmp_path: Path) -> None:
    outcome = outcome_of_skips(tmp_path, ci="true")
    assert "3 skipped" in outcome, "the unit tests' own"
    assert "3 failed" in outcome, "those inside a test"
    assert "6 errors" in outcome, "those before one: by a mark, and whole modules"
    for directory in ("live", "peers", "system"):
        assert f"tests/{directory}/test_inside.py::test_it must run where CI is set" in outcome


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    outcome = outcome_of_skips(tmp_path, ci="")
    assert "12 skipped" in outcome
    assert "failed" not in outcome


def outcome_of_skips(root: Path, ci: str) -> str:
    """What pytest prints over modules that skip in each way, in each directory."""
    for directory in ("live", "peers", "system", "unit"):
        place = root / "tests" / directory
        place.mkdir(parents=True)
        for name, text in SKIPPING_MODULES.items():
            (place / name).write_text(text)
    shutil.copy(CONFTEST, root / "tests")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(root)]
    command += ["--import-mode=importlib", "--continue-on-collection-errors", "tests"]
    environment = {**os.environ, "CI": ci}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=root, env=environment)
    return done.stdout
