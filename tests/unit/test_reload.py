from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sensor.config import Config, ConfigError
from sensor.config.detection import Detect, WatchlistSource
from sensor.config.errors import Problem
from sensor.reload import ListLoader, Lists, Loaders, Reload, Reloader, restart_needed
from sensor.web.rules import compiled_rules


def loaders(lists: Callable[[Config], Lists], web_rules: Callable[[Config], object] = lambda _: "rules") -> Loaders:
    return Loaders(lists, web_rules)


def finished(reloader: Reloader) -> Reload:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = reloader.finished()
        if found is not None:
            return found
        time.sleep(0.005)
    raise AssertionError("the reload did not finish")


def test_nothing_begins_without_a_request() -> None:
    reloader = Reloader(Config, loaders(lambda _: Lists("x", [])), Config())
    assert not reloader.begin()
    assert reloader.finished() is None


def test_one_that_is_asked_for_during_another_comes_after_it() -> None:
    release = threading.Event()
    loads = []

    def load(_config: Config) -> Lists:
        loads.append(1)
        release.wait(10)
        return Lists("x", [])

    reloader = Reloader(Config, loaders(load), Config())
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

    reloader = Reloader(refuse, loaders(load), old)
    reloader.request()
    reloader.begin()
    found = finished(reloader)
    assert (found.config, found.problems) == (None, ["c.yaml: x: unknown key"])
    assert found.lists == Lists("x", [])
    assert seen == [old]


def test_a_loader_that_fails_is_a_problem_and_no_end() -> None:
    def fail(_config: Config) -> Lists:
        raise OSError("disk on fire")

    reloader = Reloader(Config, loaders(fail), Config())
    reloader.request()
    reloader.begin()
    found = finished(reloader)
    assert (found.lists, found.web_rules, found.problems) == (None, "rules", ["disk on fire"])


def test_a_bad_file_of_web_rules_is_named_and_lists_are_taken(tmp_path: Path) -> None:
    pytest.importorskip("sensor._native")
    path = tmp_path / "own.yaml"
    old = Config()
    config = old.model_copy(update={"detect": with_rules(old, path)})
    found = []
    for text in ("- name: own\n  category: web.sqli\n", RULE):
        path.write_text(text)
        reloader = Reloader(lambda: config, loaders(lambda _: Lists("x", []), web_rules_of), old)
        reloader.request()
        reloader.begin()
        found.append(finished(reloader))
    bad, good = found
    assert (bad.web_rules, bad.lists) == (None, Lists("x", []))
    assert all(problem.startswith(f"{path}:1:3: ") for problem in bad.problems)
    assert any("weakness" in problem for problem in bad.problems)
    assert good.web_rules is not None
    assert good.problems == []


RULE = "- {name: own, category: web.sqli, weakness: ours, where: [query], pattern: secret-word}\n"


def with_rules(config: Config, path: Path) -> Detect:
    return config.detect.model_copy(update={"web": config.detect.web.model_copy(update={"rules": (path,)})})


def web_rules_of(config: Config) -> object:
    return compiled_rules(config.detect.web.rules)


def test_sections_that_need_a_restart_are_named() -> None:
    old = Config()
    lists = old.model_copy(update={"watchlists": ()})
    assert restart_needed(old, lists) == []
    rules = old.model_copy(update={"detect": with_rules(old, Path("own.yaml"))})
    assert restart_needed(old, rules) == []
    stricter = old.detect.web.model_copy(update={"scanner_paths": 5})
    detect = old.detect.model_copy(update={"web": stricter})
    assert restart_needed(old, old.model_copy(update={"detect": detect})) == ["detect"]
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
