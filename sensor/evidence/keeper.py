"""Keeps evidence: hears of incidents, and has their packets cut out of the ring once they are all there."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sensor.alerts.incident import Event
from sensor.alerts.text import NS_PER_SECOND
from sensor.config import Config
from sensor.engine import Counters
from sensor.evidence.cutter import Cutter, Missed
from sensor.evidence.losses import Losses
from sensor.evidence.order import Margins, Order
from sensor.evidence.store import EvidenceStore
from sensor.evidence.waiting import Waiting

_log = logging.getLogger(__name__)
# The ring's open file may be a second behind.
_SETTLE_NS = 2 * NS_PER_SECOND
_LOOK_SECONDS = 0.5
_END_SECONDS = 10.0
_NEVER_NS = 1 << 63

Attach = Callable[[str, str], None]
"""Is told the incident's id and the name of a capture of it."""


@dataclass(frozen=True, slots=True)
class EvidenceNumbers:
    """What the evidence amounts to, and what became of the orders since the start; `missed` is by reason."""

    bytes: int
    captures: int
    waiting: int
    cut: int
    deleted: int
    missed: dict[str, int]


class EvidenceKeeper:
    """One thread that cuts, one order after the other. `take` and `note` may be called from any thread."""

    def __init__(self, config: Config) -> None:
        evidence = config.evidence
        self._store = EvidenceStore(evidence.directory, evidence.max_size)
        self._margins = Margins.of_seconds(evidence.before, evidence.after)
        self._losses = Losses()
        self._cutter = Cutter(config, self._store, self._losses)
        self._waiting = Waiting()
        self._cut = 0
        self._missed: Counter[str] = Counter({reason.value: 0 for reason in Missed})
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, attach: Attach) -> None:
        """Remove what a crash left behind, and start to cut. Raises OSError."""
        self._store.tidy()
        self._thread = threading.Thread(target=self._run, args=(attach,), name="evidence", daemon=True)
        self._thread.start()

    def cut_all(self, counters: Counters, attach: Attach) -> None:
        """Cut all that waits, now and in this thread: the ring is whole, nothing more will come. Raises OSError."""
        self._store.tidy()
        self._losses.ring = counters["ring"]
        while (order := self._next(_NEVER_NS)) is not None:
            self._do(order, attach)

    def take(self, event: Event) -> None:
        """Hear of an event."""
        order = self._margins.order_for(event)
        if order is None:
            return
        with self._lock:
            if not self._waiting.add(order):
                self._missed[Missed.QUEUE_FULL] += 1

    def note(self, counters: Counters) -> None:
        """Take the counters as of now, once a second."""
        self._losses.note(counters, time.time_ns())

    def numbers(self) -> EvidenceNumbers:
        """Give the numbers as of now."""
        with self._lock:
            store = self._store
            waiting, missed = len(self._waiting), dict(self._missed)
            return EvidenceNumbers(store.bytes, store.captures, waiting, self._cut, store.deleted, missed)

    def close(self) -> None:
        """End. What waits is cut after the next start, as far as its incidents are open and the ring reaches back."""
        self._closing.set()
        self._cutter.stop()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)

    def _run(self, attach: Attach) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            # Whether the disk has room, and how far back the ring reaches, is known with the first counters.
            while self._losses.ring is not None and (order := self._next_due()) is not None:
                self._do(order, attach)

    def _next_due(self) -> Order | None:
        return None if self._closing.is_set() else self._next(time.time_ns() - _SETTLE_NS)

    def _next(self, until_ns: int) -> Order | None:
        with self._lock:
            return self._waiting.take(until_ns)

    def _do(self, order: Order, attach: Attach) -> None:
        try:
            made = self._cutter.cut(order)
        except Exception:  # noqa: BLE001
            # A mistake with one incident must not cost the evidence of the others.
            _log.exception("evidence: no capture of incident #%s", order.incident)
            made = Missed.FAILED
        if isinstance(made, Missed):
            with self._lock:
                self._missed[made] += 0 if self._closing.is_set() else 1
            return
        attach(order.incident, made)
        with self._lock:
            self._cut += 1
