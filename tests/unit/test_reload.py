from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from sensor.config import Config, ConfigError
from sensor.config.detection import WatchlistSource
from sensor.config.errors import Problem
from sensor.reload import ListLoader, Lists, Reload, Reloader, restart_needed


def finished(reloader: Reloader) -> Reload:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = reloader.finished()
        if found is not None:
            return found
        time.sleep(0.005)
    raise AssertionError("the reload did not finish")


def test_nothing_begins_without_a_request() -> None:
    reloader = Reloader(Config, lambda _: Lists("x", []), Config())
    assert not reloader.begin()
    assert reloader.finished() is None


def test_one_that_is_asked_for_during_another_comes_after_it() -> None:
    release = threading.Event()
    loads = []

    def load(_config: Config) -> Lists:
        loads.append(1)
        release.wait(10)
        return Lists("x", [])

    reloader = Reloader(Config, load, Config())
    reloader.request()
    assert reloader.begin()
    reloader.request()
    reloader.request()
    assert not reloader.begin()
    release.set()
    finished(reloader)
    assert reloader.begin()
    finished(reloader)
    assert not reloader.begin()
    assert len(loads) == 2
    reloader.close()


def test_lists_are_read_again_under_the_old_configuration_if_the_new_one_is_bad() -> None:
    def refuse() -> Config:
        raise ConfigError([Problem("c.yaml", None, "x", "unknown key")])

    old = Config()
    seen = []

    def load(config: Config) -> Lists:
        seen.append(config)
        return Lists("x", [])

    reloader = Reloader(refuse, load, old)
    reloader.request()
    reloader.begin()
    found = finished(reloader)
    assert (found.config, found.problems) == (None, ["c.yaml: x: unknown key"])
    assert found.lists == Lists("x", [])
    assert seen == [old]


def test_a_loader_that_fails_is_a_problem_and_no_end() -> None:
    def fail(_config: Config) -> Lists:
        raise OSError("disk on fire")

    reloader = Reloader(Config, fail, Config())
    reloader.request()
    reloader.begin()
    found = finished(reloader)
    assert (found.lists, found.problems) == (None, ["disk on fire"])


def test_sections_that_need_a_restart_are_named() -> None:
    old = Config()
    lists = old.model_copy(update={"watchlists": ()})
    assert restart_needed(old, lists) == []
    quieter = old.model_copy(update={"alerts": old.alerts.model_copy(update={"heartbeat": 5.0})})
    assert restart_needed(old, quieter) == ["alerts"]
    smaller = old.model_copy(update={"hosts": old.hosts.model_copy(update={"max": 5})})
    assert restart_needed(old, smaller) == ["hosts"]


def test_lists_are_loaded_through_one_store(tmp_path: Path) -> None:
    pytest.importorskip("sensor._native")
    path = tmp_path / "mine.txt"
    path.write_text("203.0.113.9\n")
    config = Config(watchlists=(WatchlistSource(path=path),))
    loader = ListLoader()
    assert loader(config).stale == []
    path.write_text("")
    assert [name for name, _ in loader(config).stale] == ["mine"]
