"""The files in `deploy/` that other programs read."""

from __future__ import annotations

import re
import shutil
from itertools import zip_longest

import pytest
import yaml

from sensor.metrics import DEFINITIONS
from tests.system.container import REPOSITORY, run

PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
SYSTEMD = REPOSITORY / "deploy" / "systemd"


@pytest.fixture(scope="module", autouse=True)
def promtool() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing")


def test_prometheus_accepts_the_scrape_example_and_its_rules() -> None:
    run("promtool", "check", "config", str(PROMETHEUS / "scrape.yaml"))


def test_the_alert_rules_fire_when_they_should_and_only_then() -> None:
    run("promtool", "test", "rules", str(PROMETHEUS / "spanwatch.rules.test.yaml"))


def test_the_alert_rules_speak_of_metrics_that_the_sensor_has() -> None:
    groups = yaml.safe_load((PROMETHEUS / "spanwatch.rules.yaml").read_text())["groups"]
    named = {name for group in groups for rule in group["rules"] for name in re.findall(r"spanwatch_\w+", rule["expr"])}
    assert named <= {definition.name for definition in DEFINITIONS}


def test_the_two_service_units_differ_in_the_instance_only() -> None:
    one, many = ((SYSTEMD / name).read_text().splitlines() for name in ("spanwatch.service", "spanwatch@.service"))
    different = [(a, b) for a, b in zip_longest(one, many) if a != b]
    assert [b.split("=")[0] for _, b in different] == [
        "Description",
        "ExecStart",
        "StateDirectory",
        "LogsDirectory",
        "RuntimeDirectory",
    ]


def test_only_the_nic_unit_may_change_the_network() -> None:
    holders = {path.name for path in SYSTEMD.glob("*.service") if "CAP_NET_ADMIN" in path.read_text()}
    assert holders == {"spanwatch-nic@.service"}
