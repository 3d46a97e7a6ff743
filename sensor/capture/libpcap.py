"""The portable capture source: libpcap through pypcap, for where AF_PACKET is not to be had.

The binding gives the captured length of a frame only, never its length on the wire.
"""

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pcap

from sensor.capture.binding import error_text
from sensor.capture.devices import is_up

if TYPE_CHECKING:
    from sensor.config.engine import InterfaceSettings

Frames = list[tuple[int, bytes]]
HandIn = Callable[[Frames], None]

_BATCH_FRAMES = 512
# libpcap gives a block of frames to the reader after this time at the latest, so a batch is never older.
_BLOCK_TIMEOUT_MS = 50
_POLL_TIMEOUT_MS = 200
_RETRY_SECONDS = 1.0
_STATISTICS_SECONDS = 1.0
_LINK_TYPE_ETHERNET = 1
_COUNTER_MODULUS = 1 << 32


class CaptureError(OSError):
    """An interface that cannot be captured from; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class LibpcapStatistics:
    """What libpcap counted since the source was made, over every time the interface was opened.

    `state` is `up`, or `waiting` while the interface is down or gone.
    """

    state: str = "waiting"
    received_frames: int = 0
    dropped_frames: int = 0
    interface_dropped_frames: int = 0


class LibpcapSource:
    """A thread that reads one interface and hands its frames in, in batches."""

    def __init__(self, settings: "InterfaceSettings", hand_in: HandIn) -> None:
        """`hand_in` takes a list of (timestamp in ns, bytes); it is called from the source's own thread."""
        self._settings = settings
        self._hand_in = hand_in
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"libpcap-{settings['name']}", daemon=True)
        self._handle: Any = None
        self._counted = (0, 0, 0)
        self._statistics = LibpcapStatistics()
        self._failure: Exception | None = None

    def start(self) -> None:
        """Open the interface in the caller's network namespace and start the thread.

        An interface that is down is waited for. Raises CaptureError: no such interface, no privilege, bad filter.
        """
        with contextlib.suppress(_NotUpError):
            self._open()
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait until the last frame was handed in."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def stats(self) -> LibpcapStatistics:
        """Give the numbers of at most a second ago; after `stop` the final ones."""
        return self._statistics

    def check(self) -> None:
        """Raise what ended the thread, if something did: a source that died must end the process."""
        if self._failure is not None:
            raise CaptureError(f"{self._settings['name']}: capture ended: {self._failure}") from self._failure

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._handle is None:
                    self._reopen()
                else:
                    self._read_until_gone()
        except Exception as error:  # noqa: BLE001  # whatever it is, `check` hands it to the main thread
            self._failure = error
        finally:
            self._close()

    def _reopen(self) -> None:
        try:
            self._open()
        except CaptureError:
            self._stopping.wait(_RETRY_SECONDS)

    def _open(self) -> None:
        name = self._settings["name"]
        _refuse_files(name)
        try:
            handle = pcap.pcap(
                name,
                snaplen=self._settings["snaplen"],
                promisc=self._settings["promiscuous"],
                timeout_ms=_BLOCK_TIMEOUT_MS,
                timestamp_in_ns=True,
                buffer_size=min(self._settings["ring_memory_bytes"], 2**31 - 1),
            )
        except OSError as error:
            raise _explained(name, error_text(error)) from None
        self._handle, self._counted = handle, (0, 0, 0)
        try:
            self._prepare(handle)
        except CaptureError:
            self._close()
            raise
        self._count()

    def _prepare(self, handle: pcap.pcap) -> None:
        name = self._settings["name"]
        if handle.datalink() != _LINK_TYPE_ETHERNET:
            raise CaptureError(f"{name}: link type {handle.datalink()} is not Ethernet; use backend afpacket")
        handle.setnonblock(True)
        if self._settings["filter"]:
            try:
                handle.setfilter(self._settings["filter"])
            except OSError as error:
                raise CaptureError(f"{name}: filter: {error_text(error)}; see pcap-filter(7)") from None

    def _read_until_gone(self) -> None:
        """Read without ever waiting inside libpcap, which would keep the interpreter lock."""
        poller = select.poll()
        poller.register(self._handle.fd, select.POLLIN)
        next_count = 0.0
        while not self._stopping.is_set():
            poller.poll(_POLL_TIMEOUT_MS)
            if not self._drain():
                self._close()
                return
            if time.monotonic() >= next_count:
                self._count()
                next_count = time.monotonic() + _STATISTICS_SECONDS
        self._drain()

    def _drain(self) -> bool:
        """Hand in what has arrived; False when the interface is gone."""
        while True:
            frames: Frames = []
            count = self._handle.dispatch(_BATCH_FRAMES, _keep, frames)
            if frames:
                self._hand_in(frames)
            if count < 0:
                return False
            if count < _BATCH_FRAMES or self._stopping.is_set():
                return True

    def _count(self) -> None:
        """Add what the handle counted since the last time; its counters are 32 bits wide and start at every opening."""
        now = self._handle.stats()
        new = [(later - earlier) % _COUNTER_MODULUS for later, earlier in zip(now, self._counted, strict=True)]
        self._counted = now
        before = self._statistics
        self._statistics = LibpcapStatistics(
            state="up" if is_up(self._settings["name"]) else "waiting",
            received_frames=before.received_frames + new[0],
            dropped_frames=before.dropped_frames + new[1],
            interface_dropped_frames=before.interface_dropped_frames + new[2],
        )

    def _close(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._count()
            self._handle.close()
            self._handle = None
        self._statistics = replace(self._statistics, state="waiting")


class _NotUpError(CaptureError):
    """The interface is there but down."""


def _keep(timestamp_ns: int, frame: bytes, frames: Frames) -> None:
    frames.append((timestamp_ns, frame))


def _refuse_files(name: str) -> None:
    """Refuse what the binding would open as a capture file: it tries that before it looks for an interface."""
    if "/" in name or name in ("", "-"):
        raise CaptureError(f'"{name}" is not the name of an interface')
    if os.path.lexists(name):
        place = Path.cwd() / name
        raise CaptureError(f"{name}: libpcap would read the file {place} instead; start in another directory")


def _explained(name: str, reason: str) -> CaptureError:
    if "not up" in reason:
        return _NotUpError(f"{name}: the interface is down")
    if "No such device" in reason or "doesn't exist" in reason:
        return CaptureError(f"{name}: no such interface; `spanwatch interfaces` lists them")
    if "permission" in reason.lower() or "not permitted" in reason:
        return CaptureError(f"{name}: no privilege to capture; run as root or grant CAP_NET_RAW")
    return CaptureError(f"{name}: {reason}")
