"""Reloads beside the running capture: configuration and lists are read in a thread of their own."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

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
    """What a reload found. `config` is None if the configuration cannot be used, `lists` if no list can."""

    config: Config | None
    lists: Lists | None
    problems: list[str]


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

    def __init__(
        self, read_config: Callable[[], Config], load_lists: Callable[[Config], Lists], config: Config
    ) -> None:
        self._read_config = read_config
        self._load_lists = load_lists
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
        config = None
        try:
            config = self._read_config()
        except ConfigError as error:
            problems += map(str, error.problems)
        try:
            lists = self._load_lists(config or self._config)
        except (OSError, ValueError) as error:
            problems.append(str(error))
            return Reload(config, None, problems)
        return Reload(config, lists, problems)


def restart_needed(old: Config, new: Config) -> list[str]:
    """Name the sections whose changes a reload does not take."""
    taken = {"watchlists", "alerts"}
    changed = [name for name in Config.model_fields if getattr(old, name) != getattr(new, name)]
    outside = [name for name in changed if name not in taken]
    alerts = new.alerts.model_copy(update={"suppress": old.alerts.suppress})
    return outside if alerts == old.alerts else [*outside, "alerts"]
