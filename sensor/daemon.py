"""The composition root: wires the parts of the running sensor, in the order that loses the least."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sensor.alerts.conditions import Conditions
from sensor.alerts.incident import Event
from sensor.api.app import network_app, socket_endpoint
from sensor.api.live import LiveView
from sensor.api.server import ApiServer, Endpoint
from sensor.capture.quiet import QuietTunnels
from sensor.config import Config, engine_settings
from sensor.engine import Batch, Counters, Engine, SinkCounters
from sensor.history.keeper import Keeper, kept_kinds
from sensor.housekeeping import Housekeeping
from sensor.hunt.retro import RetroHunts
from sensor.identity.memory_file import MemoryFile
from sensor.identity.naming import Identities
from sensor.mail.judge import MailJudge
from sensor.outputs import AlertOutputs, check_directories
from sensor.reload import ListLoader, Lists, Loaders, Reload, Reloader, restart_needed
from sensor.sockets import Listeners
from sensor.sources import LibpcapSources
from sensor.stats import StatsLog
from sensor.systemd import ServiceManager, signals_to
from sensor.web.judge import WebJudge
from sensor.web.rules import compiled_rules

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.25
_SECOND = 1.0
_CONFIGURATION = "configuration"
# HPE's encapsulated remote mirroring; no configuration moves it.
_ERM_PORT = 7932


class WorkerError(OSError):
    """A worker of the core or a capture source has died; the process has to end, so that it is started again."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the caller of the daemon has to say.

    `on_event` sees each line of the alert log. `stop_when` is asked four times a second. `enter_network` is held while
    interfaces are opened. `read_config` gives the configuration at a reload; without it only lists are read again.
    """

    on_event: Callable[[Event], None] | None = None
    stop_when: Callable[[LiveView], bool] | None = None
    enter_network: Callable[[], AbstractContextManager[object]] = nullcontext
    read_config: Callable[[], Config] | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What the daemon is made of, so that tests can put something else in its place."""

    make_engine: Callable[[dict[str, Any]], Engine] = Engine
    load_lists: Callable[[Config], Lists] = field(default_factory=ListLoader)
    load_web_rules: Callable[[Config], object] = lambda config: compiled_rules(config.detect.web.rules)


class Daemon:
    """One run of the sensor.

    `run` raises OSError or ValueError if it cannot start, with everything that was started stopped again, and
    WorkerError if it cannot go on.
    """

    def __init__(self, config: Config, hooks: Hooks | None = None, parts: Parts | None = None) -> None:
        self._config = config
        self._hooks = hooks or Hooks()
        self._parts = parts or Parts()
        self._manager = ServiceManager()
        self._stop_asked = False
        loaders = Loaders(self._parts.load_lists, self._parts.load_web_rules)
        self._reloader = Reloader(self._hooks.read_config or (lambda: config), loaders, config)

    def stop(self) -> None:
        """Ask the run to drain and end; may be called from any thread and from a signal handler."""
        self._stop_asked = True

    def run(self) -> None:
        """Run until a signal, `stop` or the caller's condition; then lose nothing."""
        with signals_to(self.stop, self._reloader.request), ExitStack() as stack:
            stack.callback(self._reloader.close)
            check_directories(self._config, live=True)
            sockets = stack.enter_context(Listeners(self._config))
            self._start(stack, sockets)
            self._manager.ready()
            self._loop()
            self._manager.stopping()

    def _start(self, stack: ExitStack, sockets: Listeners) -> None:
        """Start evidence first: frames are stored and counted before lists are loaded and questions are answered."""
        settings = engine_settings(self._config, "live") | {"records": kept_kinds(self._config, "live")}
        self._engine = self._parts.make_engine(settings)
        self._identities = Identities(self._config.hosts.max, self._config.networks.internal)
        self._history = stack.enter_context(Keeper(self._config, self._identities))
        listeners = (self._history.note, self._hooks.on_event)
        self._outputs = stack.enter_context(AlertOutputs(self._config, self._engine, self._identities.name, listeners))
        self._desk = self._outputs.desk
        self._restore_identities(stack)
        self._stats = StatsLog(self._config, self._engine.log_event)
        self._sources = LibpcapSources(self._engine, settings["interfaces"])
        self._mail = MailJudge(self._config)
        self._web = WebJudge(self._config.detect.web, self._identities.who)
        self._retro = RetroHunts(self._config)
        stack.callback(self._retro.close)
        self._view = LiveView(self._engine, self._desk, self._take_counters, self._sinks, self._identities)
        self._view.history = self._history.numbers
        api = ApiServer(self._endpoints(sockets))
        stack.callback(api.stop)
        quiet = _quiet_tunnels(self._config)
        stack.callback(quiet.close)
        with self._hooks.enter_network():
            quiet.open()
            self._engine.start()
            stack.callback(self._drain)
            self._history.start(self._engine)
            self._sources.start()
        for note in self._engine.counters().get("ring_notes", []):
            _log.warning("pcap ring: %s", note)
        conditions = Conditions(self._config.detect.mirror.silence, time.monotonic())
        heartbeat = self._config.alerts.heartbeat
        self._housekeeping = Housekeeping(self._desk, self._view, conditions, heartbeat, self._manager)
        self._use(self._parts.load_lists(self._config))
        api.start()
        names = ", ".join(interface["name"] for interface in settings["interfaces"])
        _log.info(
            "watching %s; alerts in %s, metrics at %s", names, self._config.alerts.log, self._config.metrics.listen
        )

    def _restore_identities(self, stack: ExitStack) -> None:
        """Go on with what the last run knew of hosts; a stop saves what this one knows."""
        file = MemoryFile(self._config.alerts.state)
        earlier = file.load()
        if earlier is not None:
            self._identities.restore(earlier)
        stack.callback(lambda: file.save(self._identities.document()))

    def _endpoints(self, listeners: Listeners) -> list[Endpoint]:
        endpoints = []
        if listeners.tcp is not None:
            endpoints.append(Endpoint(listeners.tcp, network_app(self._view, listeners.token), listeners.tls))
        if listeners.unix is not None:
            endpoints.append(socket_endpoint(listeners.unix, self._view))
        return endpoints

    def _loop(self) -> None:
        next_second = time.monotonic()
        while not self._is_over():
            self._take(self._poll())
            now = time.monotonic()
            if now >= next_second:
                next_second = now + _SECOND
                counters = self._take_counters()
                self._housekeeping.each_second(counters, self._outputs.save_state)
                self._stats.each_second(counters)
                self._view.evidence = self._outputs.note(counters)
            self._reload()

    def _is_over(self) -> bool:
        stop_when = self._hooks.stop_when
        return self._stop_asked or (stop_when is not None and stop_when(self._view))

    def _poll(self) -> Batch:
        try:
            self._outputs.check()
            self._history.check()
            self._sources.check()
            batch = self._engine.poll(_POLL_SECONDS)
        except Exception as error:
            raise WorkerError(f"the sensor cannot go on: {error}") from error
        if batch.ended:
            raise WorkerError("the capture has ended by itself")
        return batch

    def _take(self, batch: Batch) -> None:
        self._identities.take(batch)
        # The past is told last: who its hosts were then it knows by itself.
        self._desk.take(self._retro.take(self._mail.take(self._web.take(batch))))
        self._history.take(batch)

    def _sinks(self) -> tuple[SinkCounters, ...]:
        return (*self._outputs.sinks(), *self._history.sinks())

    def _take_counters(self) -> Counters:
        return self._sources.amend(self._engine.counters())

    def _use(self, lists: Lists) -> None:
        generation = self._engine.replace_watchlists(lists.compiled)
        self._mail.use(lists.compiled)
        self._retro.search(lists.compiled)
        self._view.stale_lists = lists.stale
        for name, reason in lists.stale:
            _log.warning("list %s: %s", name, reason)
        _log.info("lists of generation %d are in use", generation)

    def _reload(self) -> None:
        if self._reloader.begin():
            self._manager.reloading()
        found = self._reloader.finished()
        if found is not None:
            self._apply(found)
            self._manager.ready()

    def _apply(self, found: Reload) -> None:
        if found.lists is not None:
            self._use(found.lists)
        if found.web_rules is not None:
            self._engine.replace_web_rules(found.web_rules)
        if found.config is not None:
            self._desk.replace_suppressions(found.config.alerts.suppress)
            outside = restart_needed(self._config, found.config)
            if outside:
                _log.warning("changes in %s need a restart", ", ".join(outside))
        for problem in found.problems:
            _log.error("reload: %s; what was in use stays in use", problem)
        stale = [item for item in self._view.stale_lists if item[0] != _CONFIGURATION]
        self._view.stale_lists = [*stale, *((_CONFIGURATION, problem) for problem in found.problems[:1])]
        self._view.reload_success = not self._view.stale_lists

    def _drain(self) -> None:
        self._sources.stop()
        try:
            self._engine.stop()
            batch = self._engine.poll(_POLL_SECONDS)
            while not batch.ended:
                self._take(batch)
                batch = self._engine.poll(_POLL_SECONDS)
            self._take(batch)
            counters = self._take_counters()
            self._outputs.close_accounts(counters)
            self._stats.close(counters)
        except Exception:  # noqa: BLE001
            # Whatever ended the run is already on its way out; state and logs must still be written.
            _log.exception("the core did not drain")


def _quiet_tunnels(config: Config) -> QuietTunnels:
    tunnels = config.decapsulation
    ports = (*tunnels.vxlan_ports, *tunnels.geneve_ports, *tunnels.gtpu_ports, *tunnels.tzsp_ports, _ERM_PORT)
    return QuietTunnels([interface.name for interface in config.capture.interfaces], ports)
