"""Fixtures of the system tests: one booted Debian for all of them, with the service installed from the built wheel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.container import REPOSITORY, Container, missing_requirement, root_file_system
from tests.system.service import UNIT, Service


@pytest.fixture(scope="session")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    reason = missing_requirement()
    if reason:
        pytest.skip(reason)
    console = tmp_path_factory.mktemp("system") / "console.log"
    container = Container(root_file_system(), console, {REPOSITORY: "/mnt"})
    try:
        container.booted()
        yield container
    finally:
        container.close()


@pytest.fixture(scope="session")
def installed(container: Container) -> Service:
    """The service, installed without a network and configured."""
    wheels = [f"/mnt/dist/{wheel.name}" for wheel in (REPOSITORY / "dist").glob("spanwatch-*.whl")]
    assert len(wheels) == 1, f"dist/ must hold one wheel, it holds {wheels}: run make wheel"
    offline = ("env", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/mnt/.cache/wheelhouse")
    container.run(*offline, "/mnt/tools/install-service.sh", *wheels)
    service = Service(container)
    service.prepare()
    container.run("systemctl", "start", "spanwatch-nic@mirror0.service")
    return service


@pytest.fixture
def service(installed: Service) -> Service:
    """The service, running and healthy."""
    installed.systemctl("reset-failed")
    installed.systemctl("start", UNIT)
    return installed
