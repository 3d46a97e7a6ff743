"""The application: a feed, and the screen that shows what it brings."""

from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message

from sensor.top.feed import Feed, News
from sensor.top.screens import LiveScreen, TablesScreen


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
    #filter { height: 1; border: none; padding: 0; }
    """

    class Arrived(Message):
        """News from the feed's thread."""

        def __init__(self, news: News) -> None:
            super().__init__()
            self.news = news

    def __init__(self, path: Path, retry_seconds: float = 1.0) -> None:
        super().__init__()
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
