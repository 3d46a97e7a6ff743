"""A daemon with a fake core, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sensor.alerts.incident import Event
from sensor.config import Config, ConfigError, load
from sensor.config.errors import Place, Problem
from sensor.daemon import Daemon, Hooks, Parts
from sensor.reload import Lists
from tests.unit.api.test_server import UnixConnection, get
from tests.unit.samples import FakeEngine, hit


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def now_hit(**changes: Any) -> Any:
    return hit(time.time_ns(), **changes)


class Bench:
    """A daemon with a fake core, run in a thread of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.engine = FakeEngine()
        self.events: list[Event] = []
        self.lists = [Lists("lists 1", [])]
        self.loaded = 0
        self.wrong_rules = False
        self.configs: list[Config | ConfigError] = [self.config()]
        self.order: list[str] = []

    def config(self, **overrides: object) -> Config:
        path = self.directory / "config.yaml"
        path.touch()
        chosen = {
            "capture.interfaces": ["eth1"],
            "pcap_ring.directory": str(self.directory / "ring"),
            "history.enabled": False,
            "evidence.directory": str(self.directory / "evidence"),
            "alerts.log": str(self.directory / "log" / "alerts.log"),
            "alerts.state": str(self.directory / "state"),
            "eve.path": str(self.directory / "log" / "eve.json"),
            "api.socket": str(self.directory / "api.sock"),
            "metrics.listen": None,
            "watchlists": [],
        }
        return load(path, {**chosen, **overrides})

    def daemon(self, config: Config | None = None) -> Daemon:
        hooks = Hooks(self.events.append, None, self._network, self._read_config)
        return Daemon(config or self.config(), hooks, Parts(self._make_engine, self._load_lists, self._load_web_rules))

    def _make_engine(self, settings: dict[str, Any]) -> Any:
        self.engine.settings = settings
        return self.engine

    @contextmanager
    def _network(self) -> Iterator[None]:
        self.engine.calls.append("enter")
        yield
        self.engine.calls.append("leave")

    def _load_lists(self, _config: Config) -> Lists:
        lists = self.lists[min(self.loaded, len(self.lists) - 1)]
        self.loaded += 1
        return lists

    def _load_web_rules(self, _config: Config) -> object:
        if self.wrong_rules:
            raise ConfigError([Problem("own.yaml", Place(3, 5), "pattern", "unclosed group")])
        return "rules"

    def _read_config(self) -> Config:
        config = self.configs[-1]
        if isinstance(config, ConfigError):
            raise config
        return config

    @contextmanager
    def running(self, config: Config | None = None) -> Iterator[Daemon]:
        daemon = self.daemon(config)
        failures: list[BaseException] = []

        def run() -> None:
            try:
                daemon.run()
            except (OSError, ValueError) as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            until(lambda: self.answers() or failures)
            yield daemon
        finally:
            daemon.stop()
            thread.join(20)
        assert not thread.is_alive()
        assert not failures, failures

    def answers(self) -> bool:
        try:
            return bool(self.get("/healthz") == "ok\n")
        except OSError:
            return False

    def get(self, path: str) -> Any:
        return get(UnixConnection(self.directory / "api.sock"), path)[1]

    @property
    def alert_lines(self) -> list[str]:
        path = self.directory / "log" / "alerts.log"
        return path.read_text().splitlines() if path.exists() else []
