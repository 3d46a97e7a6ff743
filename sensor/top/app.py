"""The application: a feed, and the screen that shows what it brings."""

from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.worker import Worker, get_current_worker

from sensor.alerts.text import escape
from sensor.cli import describe
from sensor.config import Config
from sensor.top.feed import Feed, News
from sensor.top.packets import NameScreen, Wanted, save
from sensor.top.screens import LiveScreen, TablesScreen

_LONGEST_TOLD = 400
_TOLD_SECONDS = 15


class TopApp(App[None]):
    """`spanwatch top`, in the terminal's own sixteen colours and without a mouse."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "quit", show=False, priority=True)]
    CSS = """
    #summary, #views { height: 1; }
    #note { height: auto; min-height: 1; max-height: 8; }
    LiveTable { height: 1fr; background-tint: ansi_default 0%; }
    LiveTable > .datatable--header { background: ansi_default; color: ansi_default; }
    LiveTable:focus > .datatable--header { background-tint: ansi_default 0%; }
    LiveTable:focus > .datatable--cursor { background: ansi_white; color: ansi_black; text-style: none; }
    #host { height: auto; max-height: 4; margin-bottom: 1; }
    #alerts { height: auto; max-height: 8; }
    #filter, #name { height: 1; border: none; padding: 0; }
    NameScreen { align: left bottom; background: transparent; }
    #wanted { height: auto; background: ansi_default; text-style: bold; }
    """

    class Arrived(Message):
        """News from the feed's thread."""

        def __init__(self, news: News) -> None:
            super().__init__()
            self.news = news

    def __init__(self, path: Path, config: Config | None = None, retry_seconds: float = 1.0) -> None:
        """Show the daemon at a socket; `config` tells where its ring is, None if that is not known."""
        super().__init__()
        self._config = config
        self._saving: Worker[None] | None = None
        self._feed = Feed(path, lambda news: self.post_message(self.Arrived(news)), retry_seconds)

    def on_mount(self) -> None:
        """Show the tables and listen."""
        self.theme = "ansi-dark"
        self.push_screen(TablesScreen())
        self._feed.start()

    def on_unmount(self) -> None:
        """Listen no more."""
        self._feed.stop()

    def on_top_app_arrived(self, event: Arrived) -> None:
        """Show news, unless the screen is not composed yet or has been taken apart already."""
        screen = next(reversed(self.screen_stack), None)
        if isinstance(screen, LiveScreen) and screen.query("#summary"):
            screen.show(event.news)

    def on_live_screen_asks(self, event: LiveScreen.Asks) -> None:
        """Have a question asked with each sample."""
        self._feed.question = event.question

    def on_live_screen_wants(self, event: LiveScreen.Wants) -> None:
        """Ask where to write packets, and write them."""
        if self._config is None:
            self._tell("the ring of this daemon is not known: name its configuration with -c", "warning")
        elif self._saving is not None and not self._saving.is_finished:
            self._tell("packets are being written already: wait for them", "warning")
        else:
            self.push_screen(NameScreen(event.wanted), partial(self._save, self._config, event.wanted))

    def _save(self, config: Config, wanted: Wanted, name: str | None) -> None:
        if name is not None:
            # Absolute, so that no name means standard output: that is the screen.
            path = Path(name).absolute()
            self._saving = self.run_worker(partial(self._write, config, wanted, path), thread=True)

    def _write(self, config: Config, wanted: Wanted, path: Path) -> None:
        worker = get_current_worker()
        try:
            told = save(config, wanted, path, lambda: worker.is_cancelled)
        except OSError as error:
            self._tell(describe(error), "error")
        except ValueError as error:
            self._tell(str(error), "error")
        else:
            if told:
                self._tell(told, "information")

    def _tell(self, text: str, severity: SeverityLevel) -> None:
        self.notify(escape(text, _LONGEST_TOLD), severity=severity, timeout=_TOLD_SECONDS, markup=False)
