"""Runs the sensor on the demo's mirror port."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sensor.alerts.incident import Event
from sensor.api.live import LiveView
from sensor.daemon import Daemon, Hooks
from sensor.demo.mirror import Mirror
from sensor.demo.outcome import Outcome
from sensor.demo.screen import Screen, screen_for
from sensor.demo.stage import Stage


def show_live(stage: Stage, mirror: Mirror, seconds: float | None) -> Outcome:
    """Runs until `seconds` are over, or Ctrl-C if None.

    Raises:
        OSError: the sensor could not start or go on.
    """
    outcome = Outcome()
    show = _Show(mirror, screen_for(stage, outcome), outcome, seconds)
    hooks = Hooks(on_event=show.event, stop_when=show.is_over, enter_network=mirror.entered)
    with show.screen.shown():
        Daemon(stage.config, hooks).run()
    return outcome


@dataclass
class _Show:
    """What the daemon calls back."""

    mirror: Mirror
    screen: Screen
    outcome: Outcome
    seconds: float | None
    began: float | None = field(default=None, init=False)

    def event(self, event: Event) -> None:
        self.outcome.take(event)
        self.screen.event(event)

    def is_over(self, view: LiveView) -> bool:
        """Asked by the daemon four times a second, the first time when it is ready."""
        if self.began is None:
            self.began = time.monotonic()
            self.mirror.play()
        self.screen.refresh(view)
        return self.seconds is not None and time.monotonic() - self.began >= self.seconds
