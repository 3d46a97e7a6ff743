from __future__ import annotations

import platform
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from sensor import __version__
from sensor.alerts.conditions import Verdict
from sensor.alerts.desk import AlertNumbers
from sensor.history.numbers import HistoryNumbers
from sensor.identity.naming import IdentityNumbers
from sensor.metrics import DEFINITIONS, Scrape, registry_of
from tests.unit.samples import START, counters, interface

ROOT = Path(__file__).parents[2]

# The names of the interface document.
PROMISED = [
    "capture_frames_total",
    "capture_bytes_total",
    "capture_kernel_dropped_frames_total",
    "frames_total",
    "analysis_frames_total",
    "decode_errors_total",
    "encapsulation_frames_total",
    "mirror_sequence_lost_frames_total",
    "mirror_state",
    "ring_bytes",
    "ring_segments",
    "ring_oldest_timestamp_seconds",
    "ring_written_bytes_total",
    "ring_index_errors_total",
    "ring_dropped_frames_total",
    "flows_active",
    "flows_ended_total",
    "hosts_active",
    "watchlist_indicators",
    "watchlist_generation",
    "watchlist_hits_total",
    "alerts_total",
    "smtp_messages_total",
    "sink_dropped_records_total",
    "queue_length",
    "queue_capacity",
    "reload_success",
    "build_info",
]

IDENTITIES = IdentityNumbers(4, 2, {"arp": 0, "dhcp": 3})
HISTORY = HistoryNumbers({"flow": 12, "dns": 3}, 4096, START, 2, 1)

Samples = dict[str, dict[tuple[str, ...], float]]


def page(verdict: Verdict = Verdict.OK, *, reload_success: bool = True, **changes: Any) -> str:
    alerts = AlertNumbers({("watchlist.ip", "high"): 2}, {"smtp.bulk": 3}, 1, 0)
    sink = {"sink": "alerts", "written": 5, "dropped": 1, "error": "No space left on device"}
    snapshot = counters(**changes)
    scrape = Scrape(snapshot, alerts, (sink,), verdict, reload_success, IDENTITIES, HISTORY)  # type: ignore[arg-type]
    return generate_latest(registry_of(lambda: scrape)).decode()


def samples(text: str) -> Samples:
    found: Samples = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name][tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_every_promised_name_is_there() -> None:
    text = page()
    for name in PROMISED:
        assert f"# HELP spanwatch_{name} " in text, name


def test_values_are_those_of_the_snapshot() -> None:
    found = samples(page())
    assert found["spanwatch_capture_frames_total"] == {("eth1",): 100}
    assert found["spanwatch_decode_errors_total"] == {("truncated", "ipv4"): 2}
    assert found["spanwatch_ring_oldest_timestamp_seconds"][()] == pytest.approx(START / 1e9 - 31 * 3600)
    assert found["spanwatch_watchlist_indicators"] == {("feodo", "ip"): 12}
    assert found["spanwatch_alerts_total"] == {("watchlist.ip", "high"): 2}
    assert found["spanwatch_alerts_suppressed_total"] == {("smtp.bulk",): 3}
    assert found["spanwatch_sink_dropped_records_total"] == {("eve",): 0, ("alerts",): 3}
    assert found["spanwatch_sink_written_records_total"] == {("eve",): 7, ("alerts",): 5}
    assert found["spanwatch_sink_failing"] == {("eve",): 0, ("alerts",): 1}
    assert found["spanwatch_history_written_records_total"] == {("flow",): 12, ("dns",): 3}
    assert found["spanwatch_history_bytes"][()] == 4096
    assert found["spanwatch_history_oldest_timestamp_seconds"][()] == pytest.approx(START / 1e9)
    assert found["spanwatch_history_deletions_total"][()] == 2
    assert found["spanwatch_history_failed_compactions_total"][()] == 1
    assert found["spanwatch_build_info"] == {(platform.python_version(), __version__): 1}


def test_the_accounts_close_within_a_page() -> None:
    found = samples(page())
    captured = sum(found["spanwatch_capture_frames_total"].values())
    fates = sum(found["spanwatch_frames_total"].values())
    assert captured == fates + found["spanwatch_ring_in_flight_frames"][()]
    assert captured == sum(found["spanwatch_analysis_frames_total"].values())


def test_a_scrape_takes_one_snapshot() -> None:
    taken = []
    alerts = AlertNumbers({}, {}, 0, 0)

    def take() -> Scrape:
        taken.append(1)
        return Scrape(counters(), alerts, (), Verdict.OK, reload_success=True, identities=IDENTITIES)

    registry = registry_of(take)
    assert not taken
    generate_latest(registry)
    assert len(taken) == 1


@pytest.mark.parametrize("verdict", list(Verdict))
def test_one_mirror_state_is_true(verdict: Verdict) -> None:
    states = samples(page(verdict))["spanwatch_mirror_state"]
    assert [state for state, value in states.items() if value] == [(verdict.value,)]


def test_a_failed_reload_and_a_lost_interface_show() -> None:
    found = samples(page(reload_success=False, interfaces=interface(state="waiting")))
    assert found["spanwatch_reload_success"][()] == 0
    assert found["spanwatch_capture_interface_up"] == {("eth1",): 0}


def test_without_a_ring_there_are_no_ring_samples() -> None:
    found = samples(page(ring=None))
    assert "spanwatch_ring_bytes" not in found
    assert found["spanwatch_ring_dropped_frames_total"][()] == 0


def test_no_created_series_and_the_process_is_there() -> None:
    text = page()
    assert "_created" not in text
    assert "process_resident_memory_bytes" in text


def test_hostile_label_values_stay_inside_their_quotes() -> None:
    rows = {"generation": 1, "lists": [], "hits": [{"list": 'a"} 1\nx{y="\\', "hits": 1}], "forgotten": 0}
    assert samples(page(watchlist=rows))["spanwatch_watchlist_hits_total"] == {('a"} 1\nx{y="\\',): 1}


def test_the_names_are_unique_and_losses_say_that_they_should_be_zero() -> None:
    names = [definition.name for definition in DEFINITIONS]
    assert len(names) == len(set(names))
    for definition in DEFINITIONS:
        if any(word in definition.name for word in ("dropped", "lost", "overflowed", "evicted", "freezes")):
            assert definition.help.endswith("Should always be zero."), definition.name


def test_promtool_finds_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    checked = subprocess.run([promtool, "check", "metrics"], input=page(), capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_what_tells_who_hosts_are_is_counted() -> None:
    found = samples(page())
    assert found["spanwatch_punted_frames_total"] == {("handed",): 20, ("repeated",): 5, ("dropped",): 1}
    assert found["spanwatch_identity_errors_total"] == {("arp",): 0, ("dhcp",): 3}
    assert (found["spanwatch_identities_active"], found["spanwatch_identities_evicted_total"]) == ({(): 4}, {(): 2})
