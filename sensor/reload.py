"""Reloads beside the running capture: configuration and lists are read in a thread of their own."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from sensor.config import Config, ConfigError
from sensor.watchlist import WatchlistStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lists:
    """Compiled lists for the engine, and which of their sources are stale: (name, reason)."""

    compiled: object
    stale: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reload:
    """What a reload found; None is what cannot be used. `web_rules` are compiled."""

    config: Config | None
    lists: Lists | None
    web_rules: object | None
    problems: list[str]


@dataclass(frozen=True, slots=True)
class Loaders:
    """What is read again with a configuration; each raises OSError or ValueError if nothing of it can be used."""

    lists: Callable[[Config], Lists]
    web_rules: Callable[[Config], object]


class ListLoader:
    """Loads lists through one store, which remembers the last good version of each."""

    def __init__(self) -> None:
        self._store: WatchlistStore | None = None

    def __call__(self, config: Config) -> Lists:
        """Load what the configuration names. The first time every bad list is an error: ConfigError."""
        if self._store is None:
            self._store = WatchlistStore()
        loaded = self._store.load(config.watchlists)
        return Lists(loaded.watchlists, [(item.name, item.reason) for item in loaded.stale])


class Reloader:
    """Runs one reload at a time; one more that is asked for meanwhile comes after it."""

    def __init__(self, read_config: Callable[[], Config], loaders: Loaders, config: Config) -> None:
        self._read_config = read_config
        self._loaders = loaders
        self._config = config
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reload")
        self._running: Future[Reload] | None = None
        self._wanted = False

    def request(self) -> None:
        """Ask for a reload; may be called from a signal handler."""
        self._wanted = True

    def begin(self) -> bool:
        """Start the reload that was asked for, if there is one and none is running."""
        if not self._wanted or self._running is not None:
            return False
        self._wanted = False
        self._running = self._pool.submit(self._reload)
        return True

    def finished(self) -> Reload | None:
        """Give what a reload found, once."""
        if self._running is None or not self._running.done():
            return None
        running, self._running = self._running, None
        found = running.result()
        self._config = found.config or self._config
        return found

    def close(self) -> None:
        """Forget a reload that was not begun, and wait for one that runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _reload(self) -> Reload:
        problems: list[str] = []
        config = _tried(self._read_config, problems)
        in_force = config or self._config
        lists = _tried(lambda: self._loaders.lists(in_force), problems)
        web_rules = _tried(lambda: self._loaders.web_rules(in_force), problems)
        return Reload(config, lists, web_rules, problems)


_T = TypeVar("_T")


def _tried(read: Callable[[], _T], problems: list[str]) -> _T | None:
    try:
        return read()
    except ConfigError as error:
        problems += map(str, error.problems)
    except (OSError, ValueError) as error:
        problems.append(str(error))
    return None


def restart_needed(old: Config, new: Config) -> list[str]:
    """Name the sections whose changes a reload does not take."""
    taken = {"watchlists", "alerts", "detect"}
    changed = [name for name in Config.model_fields if getattr(old, name) != getattr(new, name)]
    outside = [name for name in changed if name not in taken]
    alerts = new.alerts.model_copy(update={"suppress": old.alerts.suppress})
    web = new.detect.web.model_copy(update={"rules": old.detect.web.rules})
    detect = new.detect.model_copy(update={"web": web})
    partly = {"alerts": alerts == old.alerts, "detect": detect == old.detect}
    return [*outside, *(name for name, same in partly.items() if not same)]
