"""The demo's mirror port as its parent process holds it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from sensor.demo import namespace
from sensor.demo.player import MIRROR_PORT

_END_SECONDS = 5.0


class MirrorError(OSError):
    """The private network could not be made; the text says why."""


class Mirror:
    """A private network whose port `interface` receives the office's traffic once `play` was called."""

    interface = MIRROR_PORT

    def __init__(self) -> None:
        self._player: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Makes the network.

        Raises:
            MirrorError: no privilege, no `ip` command, or the kernel refused.
        """
        command = [sys.executable, "-m", "sensor.demo.player"]
        player = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._player = player
        answer = player.stdout.readline().strip() if player.stdout else ""
        if answer != "ready":
            self._end()
            raise MirrorError(answer.removeprefix("failed ") or "the traffic process ended at once")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def entered(self) -> AbstractContextManager[None]:
        """Sockets that the calling thread opens within this context belong to the private network."""
        return namespace.entered(Path(f"/proc/{self._running().pid}/ns/net"))

    def play(self) -> None:
        """Begins the traffic."""
        player = self._running()
        if player.stdin:
            player.stdin.write("play\n")
            player.stdin.flush()

    def _running(self) -> subprocess.Popen[str]:
        if self._player is None:
            raise MirrorError("the private network is not there")
        return self._player

    def _end(self) -> None:
        player, self._player = self._player, None
        if player is None:
            return
        if player.stdin:
            player.stdin.close()
        try:
            player.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            player.kill()
            player.wait()
        if player.stdout:
            player.stdout.close()
