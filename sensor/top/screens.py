"""The two screens: all tables, and one host's page."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from sensor.alerts.text import NS_PER_SECOND, counted, size
from sensor.top.cells import Row, age, foreign, kilo, tags
from sensor.top.feed import News
from sensor.top.packets import Wanted, of_connection, of_host
from sensor.top.question import Choice, Question, arranged, question_of, split_filter
from sensor.top.table import LiveTable
from sensor.top.views import ALERTS, CONNECTIONS, MIRROR, VIEWS, Sample, View, at

_MOST_REASONS = 5
_MOST_SAID = 3
_VERDICT_STYLES = {"ok": "green", "degraded": "bold yellow", "blind": "bold red"}


class LiveScreen(Screen[None]):
    """Shows news as they come, and says what it wants to have asked and written."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("w", "write", "packets")]

    class Asks(Message):
        """What is to be asked from now on."""

        def __init__(self, question: Question | None) -> None:
            super().__init__()
            self.question = question

    class Wants(Message):
        """Packets are to be written."""

        def __init__(self, wanted: Wanted) -> None:
            super().__init__()
            self.wanted = wanted

    def on_screen_resume(self, _: events.ScreenResume) -> None:
        """Have one's own question asked again."""
        self.post_message(self.Asks(self.question()))

    def question(self) -> Question | None:
        """What is to be asked with each sample; None where the samples have it all."""
        return None

    def wanted(self) -> Wanted | None:
        """Whose packets the key writes; None where nothing has packets of its own."""
        return None

    def action_write(self) -> None:
        """Have packets written."""
        wanted = self.wanted()
        if wanted is not None:
            self.post_message(self.Wants(wanted))

    def show(self, news: News) -> None:
        """Show news: how the sensor is."""
        self.query_one("#summary", Static).update(summary(news.sample, news.trouble))


class TablesScreen(LiveScreen):
    """One table at a time, with a line that tells how the sensor is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number + 1), f"view({number})", show=False) for number in range(len(VIEWS))),
        Binding("tab", "turn(1)", "next table"),
        Binding("shift+tab", "turn(-1)", "previous", show=False),
        # Before all others, so that what is typed quickly after it reaches the filter.
        Binding("slash", "filter", "filter", key_display="/", priority=True),
        Binding("less_than_sign,comma", "sort(-1)", "sort", key_display="< >"),
        Binding("greater_than_sign,full_stop", "sort(1)", "sort by the next column", show=False),
        Binding("r", "reverse", "reverse"),
        Binding("escape", "clear", "no filter", show=False),
        Binding("q", "app.quit", "quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view = CONNECTIONS
        self.choices = {view.name: Choice(view.sorted_by) for view in VIEWS}
        self._news = News()

    def compose(self) -> ComposeResult:
        """Make the parts, from top to bottom."""
        yield Static(id="summary", markup=False)
        yield Static(id="views", markup=False)
        yield LiveTable(self.view, id="table")
        yield Static(id="note", markup=False)
        yield Input(placeholder="address, network, port, protocol, vlan:ID, or a piece of text", id="filter")
        yield Footer()

    def on_mount(self) -> None:
        """Begin with the table, waiting for the first sample."""
        self.query_one("#filter").display = False
        self.query_one(LiveTable).focus()
        self._draw()

    def on_resize(self, _: events.Resize) -> None:
        """Measure the columns anew once the table knows its size."""
        self.query_one(LiveTable).forget_widths()
        self.call_after_refresh(self._draw)

    @property
    def choice(self) -> Choice:
        """How the table in view is sorted and filtered."""
        return self.choices[self.view.name]

    def question(self) -> Question | None:
        """What the samples do not have."""
        return question_of(self.view, self.choice)

    def wanted(self) -> Wanted | None:
        """Those of the connection under the cursor, in other tables of its host."""
        row = self.query_one(LiveTable).selected
        if row is None:
            return None
        if self.view is CONNECTIONS:
            return of_connection(row)
        address = self.view.address(row)
        return of_host(address, row["now_ns"]) if address else None

    def show(self, news: News) -> None:
        """Show a sample; without one keep the last, and say why."""
        self._news = news if news.sample is not None else News(self._news.sample, trouble=news.trouble)
        self._draw()

    def _draw(self) -> None:
        sample = self._news.sample
        self.query_one("#summary", Static).update(summary(sample, self._news.trouble))
        self.query_one("#views", Static).update(_names(self.view))
        rows: Sequence[Row] = []
        if sample is not None and not (self._news.trouble and self.view is ALERTS):
            rows = self._rows(sample)
        self.query_one(LiveTable).show(self.view, self.choice, rows)
        self.query_one("#note", Static).update(self._note(len(rows)))

    def _rows(self, sample: Sample) -> list[Row]:
        asked = self._news.answer is not None and self._news.question == self.question()
        rows = self._news.answer if asked else self.view.rows(sample)
        return arranged(self.view, self.choice, at(sample["time_ns"], rows), asked=asked)

    def _note(self, rows: int) -> Text:
        if self._news.refusal and self._news.question == self.question():
            return Text(foreign(self._news.refusal), style="red")
        if not self.choice.filter_text:
            return _reasons(self._news.sample) if self.view is MIRROR else Text("")
        note = Text(f"filter {foreign(self.choice.filter_text)}: {counted(rows, 'row')}", style="cyan")
        searched = split_filter(self.choice.filter_text)[1] and self.view is CONNECTIONS
        return note.append(" among the 1,000 busiest that fit") if searched else note

    def _choose(self, choice: Choice) -> None:
        self.choices[self.view.name] = choice
        self.post_message(self.Asks(self.question()))
        self._draw()

    def _turn_to(self, view: View) -> None:
        self.view = view
        self.query_one("#filter", Input).value = self.choice.filter_text
        self._choose(self.choice)

    def action_view(self, number: int) -> None:
        """Turn to a table by its place."""
        self._turn_to(VIEWS[number])

    def action_turn(self, by: int) -> None:
        """Turn to a neighbouring table."""
        self._turn_to(VIEWS[(VIEWS.index(self.view) + by) % len(VIEWS)])

    def action_sort(self, by: int) -> None:
        """Sort by a neighbouring column."""
        self._choose(self.choice.moved(self.view, by))

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._choose(replace(self.choice, is_reversed=not self.choice.is_reversed))

    def action_filter(self) -> None:
        """Open the line for the filter."""
        line = self.query_one("#filter", Input)
        line.display = True
        self.set_focus(line)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leave the slash to the filter while it is typed: it is part of a network."""
        return action != "filter" or not isinstance(self.focused, Input)

    def action_clear(self) -> None:
        """Close the line for the filter, and show all again."""
        self.query_one("#filter", Input).value = ""
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).display = False
        self.query_one(LiveTable).focus()

    @on(Input.Changed)
    def _filter_typed(self, event: Input.Changed) -> None:
        self._choose(replace(self.choice, filter_text=event.value))

    @on(Input.Submitted)
    def _filter_done(self, _: Input.Submitted) -> None:
        self._close_filter()

    @on(DataTable.RowSelected)
    def _open(self, _: DataTable.RowSelected) -> None:
        row = self.query_one(LiveTable).selected
        address = row and self.view.address(row)
        if row and address:
            self.app.push_screen(HostScreen(address, row["now_ns"]))


class HostScreen(LiveScreen):
    """One address: what is known of it, its connections, its incidents."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "app.pop_screen", "back", key_display="esc"),
        Binding("tab", "app.focus_next", "incidents", show=False),
        Binding("q", "app.quit", "quit"),
    ]

    def __init__(self, address: str, now_ns: int) -> None:
        super().__init__()
        self._address = address
        self._now_ns = now_ns

    def compose(self) -> ComposeResult:
        """Make the parts, from top to bottom."""
        yield Static(id="summary", markup=False)
        yield Static(f"{foreign(self._address)}", id="host", markup=False)
        yield LiveTable(CONNECTIONS, id="flows")
        yield LiveTable(ALERTS, id="alerts")
        yield Static(id="note", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin with the connections."""
        self.query_one("#flows").focus()
        self.query_one("#note", Static).update("asking")

    def question(self) -> Question:
        """The page."""
        return Question(f"hosts/{self._address}")

    def wanted(self) -> Wanted:
        """Those of the host."""
        return of_host(self._address, self._now_ns)

    def show(self, news: News) -> None:
        """Show the page as it is now; without an answer keep the last, and say why."""
        super().show(news)
        if news.question != self.question():
            return
        self.query_one("#note", Static).update(Text(foreign(news.refusal), style="red"))
        if news.answer is None or news.sample is None:
            return
        now_ns = self._now_ns = news.sample["time_ns"]
        self.query_one("#host", Static).update(host_lines(self._address, news.answer["host"], now_ns))
        for view, name in ((CONNECTIONS, "flows"), (ALERTS, "alerts")):
            choice = Choice(view.sorted_by)
            rows = arranged(view, choice, at(now_ns, news.answer[name]), asked=True)
            self.query_one(f"#{name}", LiveTable).show(view, choice, rows)
        self.query_one("#alerts").display = bool(news.answer["alerts"])

    @on(DataTable.RowSelected, "#flows")
    def _open_peer(self, _: DataTable.RowSelected) -> None:
        row = self.query_one("#flows", LiveTable).selected
        if row is not None:
            ends = (str(row["orig_ip"]), str(row["resp_ip"]))
            self.app.push_screen(HostScreen(ends[1] if ends[0] == self._address else ends[0], row["now_ns"]))


def summary(sample: Sample | None, trouble: str) -> Text:
    """Give the line that tells how the sensor is."""
    if trouble:
        return Text(f"{foreign(trouble)}: trying again", style="bold red")
    if sample is None:
        return Text("waiting for the first sample", style="dim")
    rates, mirror = sample["rates"], sample["mirror"]["verdict"]
    line = Text("mirror ").append(foreign(mirror), style=_VERDICT_STYLES.get(mirror, ""))
    dropped = sample["totals"]["kernel_dropped_frames"] + sample["totals"]["ring_dropped_frames"]
    figures = []
    if rates["frames_per_second"] is not None:
        figures += [f"{rates['frames_per_second']:,.0f} frames/s", f"{size(round(rates['bytes_per_second']))}/s"]
    line.append("  ".join(["", *figures]))
    line.append(f"  {dropped:,} dropped", style="bold red" if dropped else "")
    tables = (("alert", sample["alerts"]["open"]), *((table[:-1], n) for table, n in sample["active"].items()))
    return line.append("  ".join(["", *(counted(number, table) for table, number in tables)]))


def _reasons(sample: Sample | None) -> Text:
    """Say at length what the table of the mirror has no room for."""
    reasons = sample["mirror"]["reasons"][:_MOST_REASONS] if sample is not None else []
    lines = (f"{reason['rule']} {reason['source']}: {reason['text']}" for reason in reasons)
    return Text("\n".join(map(foreign, lines)), style="yellow")


def _names(current: View) -> Text:
    line = Text()
    for number, view in enumerate(VIEWS, start=1):
        line.append(f" {number} {view.name} ", style="bold reverse" if view is current else "")
    return line


def host_lines(address: str, host: Row | None, now_ns: int) -> Text:
    """Give what is known of a host, a line a subject."""
    line = Text(foreign(address), style="bold")
    if host is None:
        return line.append("  not an internal host, or not seen yet", style="dim")
    known = [foreign(host.get("name")), foreign(host["mac"]), f"VLAN {tags(host['vlan'])}" if host["vlan"] else ""]
    for text in filter(None, known):
        line.append(f"  {text}", style="not bold")
    first, last = ((now_ns - host[f"{which}_seen_ns"]) / NS_PER_SECOND for which in ("first", "last"))
    line.append(
        f"\nsent {size(host['bytes_out'])}, received {size(host['bytes_in'])}, now "
        f"{kilo(host['bytes_out_per_second'])} kB/s out, {kilo(host['bytes_in_per_second'])} kB/s in",
        style="not bold",
    )
    line.append(
        f"\n{counted(host['peers'], 'peer')}, {counted(host['flows'], 'flow')}, first seen {age(first)} ago, last "
        f"{age(last)} ago, serves {foreign(', '.join(host['ports_served'])) or 'nothing'}",
        style="not bold",
    )
    return line.append("".join(_inside_lines(host, now_ns)), style="not bold")


def _inside_lines(host: Row, now_ns: int) -> Iterator[str]:
    """Say which users and programs were heard of, the last one first."""
    if host.get("system"):
        yield f"\nsystem {foreign(host['system'])}"
    for word in ("users", "agents"):
        said = list(reversed(host.get(word, [])))
        shown = (f"{foreign(entry['text'])} ({_while(entry, now_ns)})" for entry in said[:_MOST_SAID])
        if said:
            yield f"\n{word} {', '.join(shown)}"


def _while(said: Row, now_ns: int) -> str:
    first, last = (age(max(0, now_ns - said[f"{which}_seen_ns"]) / NS_PER_SECOND) for which in ("first", "last"))
    return f"first {first} ago, last {last} ago"
