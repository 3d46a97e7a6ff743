"""Law 4: every frame is accounted for, at any scrape."""

import re
import threading
from pathlib import Path

import pytest

from tests.live import ring
from tests.live.conftest import SensorFactory
from tests.live.lab import Lab
from tests.live.sensor_process import assert_accounts_close, total
from tests.live.test_ring import capture_of, mixed_frames

pytestmark = pytest.mark.live


@pytest.mark.parametrize("workers", [1, 2])
def test_the_accounts_close_in_every_scrape_under_load_and_reload(
    lab: Lab, sensor: SensorFactory, tmp_path: Path, workers: int
) -> None:
    indicators = tmp_path / "feed.txt"
    indicators.write_text("203.0.113.9\n")
    daemon = sensor(capture={"workers": workers}, watchlists=[{"path": str(indicators)}]).start()
    frames = mixed_frames(1000)
    sent = capture_of(tmp_path / "sent.pcap", frames)
    loops = 20
    load = threading.Thread(target=lab.replay, args=(sent, "--pps", "30000", "--loop", str(loops)))
    load.start()
    seen = []
    while load.is_alive():
        samples = daemon.scrape()
        assert_accounts_close(samples)
        seen.append(total(samples, "spanwatch_capture_frames_total"))
        if len(seen) % 10 == 5:
            daemon.reload()
    load.join()
    samples = daemon.scrape()
    dropped = total(samples, "spanwatch_capture_kernel_dropped_frames_total")
    assert seen == sorted(seen)
    assert len(set(seen)) >= 10, "the scrapes were to fall into the load"
    assert samples["spanwatch_watchlist_generation"] >= 3
    assert dropped == 0
    daemon.captures(loops * len(frames))
    assert daemon.stop() == 0
    assert len(ring.stored(daemon.ring)) == loops * len(frames)


def test_the_accounts_close_after_sigterm_in_the_middle_of_the_load(
    lab: Lab, sensor: SensorFactory, tmp_path: Path
) -> None:
    """What the daemon says at its end was captured stands in the ring, and is accounted for twice."""
    daemon = sensor().start()
    sent = capture_of(tmp_path / "sent.pcap", mixed_frames(1000))
    load = threading.Thread(target=lab.replay, args=(sent, "--pps", "30000", "--loop", "10"))
    load.start()
    while daemon.captured() < 10_000:
        assert load.is_alive()
    assert daemon.stop() == 0
    load.join()
    account = re.search(r"captured (\d+) frames: (.*); analysed: (.*)", daemon.said())
    assert account is not None, daemon.said()
    captured = int(account[1])
    assert captured >= 10_000
    assert account[2] == f"stored {captured}"
    assert sum(int(number) for number in re.findall(r"\d+", account[3])) == captured
    assert captured == len(ring.stored(daemon.ring))
