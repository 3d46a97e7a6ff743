"""The screen, played by its keys over the API of an office."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, Static

from sensor.alerts.conditions import Health, Verdict
from sensor.alerts.mirror import Reason
from sensor.engine import Batch
from sensor.top.app import TopApp
from sensor.top.screens import HostScreen, TablesScreen
from sensor.top.table import LiveTable
from tests.unit.samples import START, flow_row, hit
from tests.unit.top.office import NAMES_WITH_TRICKS, Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "s")


@contextmanager
def opened(office: Office) -> Iterator[Office]:
    with office.open():
        yield office


@asynccontextmanager
async def playing(office: Office, size: tuple[int, int] = (140, 40)) -> AsyncIterator[Pilot[None]]:
    app = TopApp(office.path, retry_seconds=0.02)
    async with app.run_test(size=size) as pilot:
        yield pilot


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the application go on until something is so."""
    for _ in range(1000):
        if condition():
            await pilot.pause()
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"it did not happen in time:\n{screen_text(pilot)}")


def screen_text(pilot: Pilot[None]) -> str:
    """What stands on the screen."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def table(pilot: Pilot[None], name: str = "table") -> LiveTable:
    return pilot.app.screen.query_one(f"#{name}", LiveTable)


def column(pilot: Pilot[None], at: int, name: str = "table") -> list[str]:
    shown = table(pilot, name)
    return [str(shown.get_row_at(row)[at]).strip() for row in range(shown.row_count)]


def play(office: Office, script: Callable[[Pilot[None]], Any], size: tuple[int, int] = (140, 40)) -> None:
    """Run a script on the screen, once the first sample is there."""

    async def run() -> None:
        async with playing(office, size) as pilot:
            await until(pilot, lambda: "frames/s" in screen_text(pilot))
            await script(pilot)

    with office.open():
        asyncio.run(run())


def test_connections_are_shown_by_rate_with_names_and_totals(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        assert column(pilot, 0)[:3] == ["10.20.3.17:50112", "10.20.3.17:50113", "10.20.4.8:51004"]
        row = screen_text(pilot).splitlines()[3].split()
        assert row == ["10.20.3.17:50112", "198.51.100.7:443", "tcp", "tls", "download.example.com",
                       "8,412", "940", "MB", "2m"]  # fmt: skip
        head = screen_text(pilot).splitlines()[0]
        assert head.startswith("mirror ok")
        assert "0 dropped  2 alerts  104,233 flows" in head

    play(office, script)


def test_the_local_end_is_the_own_host_whoever_opened_the_connection(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        at = column(pilot, 0).index("10.20.3.33:3389")
        assert column(pilot, 1)[at] == "203.0.113.77:51620"

    play(office, script)


def test_rows_without_names_are_shown_all_the_same(office: Office) -> None:
    office.engine.flow_rows = [flow_row()]

    async def script(pilot: Pilot[None]) -> None:
        assert [column(pilot, at)[0] for at in (0, 3, 4)] == ["10.20.3.44:50000", "", ""]

    play(office, script)


def test_number_keys_and_tab_choose_the_table(office: Office) -> None:
    words = ("download", "pc-0417", "tcp/3389", "100.30", "34 connections to 22 servers", "erspan_ii")

    async def script(pilot: Pilot[None]) -> None:
        for number, word in enumerate(words, start=1):
            await pilot.press(str(number))
            await until(pilot, lambda word=word: word in screen_text(pilot))  # type: ignore[misc]
        for word in words:
            await pilot.press("tab")
            await until(pilot, lambda word=word: word in screen_text(pilot))  # type: ignore[misc]
        await pilot.press("shift+tab")
        await until(pilot, lambda: words[-2] in screen_text(pilot))

    play(office, script)


def test_keys_choose_the_column_that_sorts_and_turn_it_round(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("r")
        await until(pilot, lambda: column(pilot, 0)[0].endswith(":49900"))
        assert "kB/s▲" in screen_text(pilot)
        await pilot.press("r", "less_than_sign")
        await until(pilot, lambda: column(pilot, 4)[-1] == "www.example.com")
        await pilot.press("less_than_sign")
        await until(pilot, lambda: column(pilot, 3) == sorted(column(pilot, 3)))
        await pilot.press("greater_than_sign", "greater_than_sign", "greater_than_sign")
        await until(pilot, lambda: ("flows", "", "bytes", 100) in office.engine.asked)
        assert "bytes▼" in screen_text(pilot)

    play(office, script)


def test_the_daemon_is_asked_for_the_newest_not_only_the_screen(office: Office) -> None:
    newest = flow_row(flow_id=99, orig_port=61_000, start_ns=START, orig_bytes_per_second=0, resp_bytes_per_second=0)
    plain = office.engine.flows

    def flows(filter_text: str, order: str, limit: int) -> list[dict[str, Any]]:
        rows = plain(filter_text, order, limit)
        return [dict(newest), *rows] if order == "start" else rows

    office.engine.flows = flows  # type: ignore[method-assign]

    async def script(pilot: Pilot[None]) -> None:
        assert "10.20.3.44:61000" not in column(pilot, 0)
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, lambda: column(pilot, 0)[0] == "10.20.3.44:61000")

    play(office, script)


def test_a_filter_is_typed_and_kept_until_escape(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"video 10.20")
        await until(pilot, lambda: column(pilot, 4) == ["video.example.net"])
        await until(pilot, lambda: ("flows", "", "rate", 1000) in office.engine.asked)
        await pilot.press("enter")
        assert table(pilot).has_focus
        assert "filter video 10.20: 1 row" in screen_text(pilot)
        await pilot.press("2", "1")
        await until(pilot, lambda: column(pilot, 4) == ["video.example.net"])
        await pilot.press("escape")
        await until(pilot, lambda: len(column(pilot, 4)) == 11)

    play(office, script)


def test_terms_go_to_the_daemon_which_knows_all_connections(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"tcp 443")
        await until(pilot, lambda: ("flows", "tcp 443", "rate", 100) in office.engine.asked)
        await until(pilot, lambda: len(column(pilot, 0)) == 11)  # this daemon's filter admits everything

    play(office, script)


def test_what_is_typed_faster_than_the_screen_follows_is_the_filter(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        names = {"/": "slash", ".": "full_stop"}
        for character in "/10.20.3.0/24":
            pilot.app.post_message(events.Key(names.get(character, character), character))
        await until(pilot, lambda: pilot.app.screen.query_one("#filter", Input).value == "10.20.3.0/24")

    play(office, script)


def test_letters_in_the_filter_are_text_and_no_commands(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("slash", *"q1r2")
        await until(pilot, lambda: column(pilot, 0) == [])
        screen = pilot.app.screen
        assert isinstance(screen, TablesScreen)
        assert (screen.view.name, screen.choice.is_reversed, screen.choice.filter_text) == (
            "connections", False, "q1r2",
        )  # fmt: skip

    play(office, script)


def test_enter_opens_the_page_of_the_host_and_escape_leads_back(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, HostScreen))
        await until(pilot, lambda: "31 peers, 93 flows" in screen_text(pilot))
        assert ("hosts", "10.20.4.8", "rate", 1) in office.engine.asked
        assert "10.20.4.8  pc-0417  00:1b:44:11:3a:00  VLAN 20" in screen_text(pilot)
        assert "download.example.com" in column(pilot, 4, "flows")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TablesScreen))
        assert table(pilot).cursor_row == 2

    play(office, script)


def test_the_page_of_a_host_shows_its_incidents_and_leads_to_its_peers(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("5")
        await until(pilot, lambda: "watchlist.ip" in column(pilot, 2))
        await pilot.press(*["down"] * column(pilot, 2).index("watchlist.ip"), "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, HostScreen) and pilot.app.screen.query("#alerts"))
        await until(pilot, lambda: column(pilot, 2, "alerts") == ["watchlist.ip"])
        office.engine.host_rows = []
        await pilot.press("enter")
        await until(pilot, lambda: "not an internal host" in screen_text(pilot))

    play(office, script)


def test_a_host_of_which_nothing_is_known_is_said(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        office.engine.flow_rows = office.engine.host_rows = []
        await until(pilot, lambda: "nothing is known of 10.20.3.17" in screen_text(pilot))

    play(office, script)


def test_the_cursor_stays_on_its_row_when_rows_move(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("down")
        assert table(pilot).selected is not None
        office.engine.flow_rows = [flow_row(flow_id=50, resp_bytes_per_second=10**8), *office.engine.flow_rows]
        await until(pilot, lambda: table(pilot).row_count == 12)
        assert table(pilot).cursor_row == 2
        office.engine.flow_rows = office.engine.flow_rows[:1]
        await until(pilot, lambda: table(pilot).row_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, HostScreen))

    play(office, script)


def test_a_new_alert_appears_and_a_closed_one_stays(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("5")
        await until(pilot, lambda: len(column(pilot, 0)) == 2)
        office.desk.take(Batch(START + 2, [hit(START + 2, dest_ip="203.0.113.10", indicator="203.0.113.10")]))
        await until(pilot, lambda: len(column(pilot, 0)) == 3)
        office.desk.finish("end")
        await until(pilot, lambda: column(pilot, 0) == ["closed"] * 3)
        assert "0 alerts" in screen_text(pilot)

    play(office, script)


def test_what_speaks_against_the_mirror_is_said_in_full(office: Office) -> None:
    text = "870 of 900 TCP connections show one direction only"
    office.health = Health(Verdict.DEGRADED, (Reason("mirror.one-sided", "eth1", text, False, {}),), 0.0, 0, None)

    async def script(pilot: Pilot[None]) -> None:
        assert screen_text(pilot).startswith("mirror degraded  ")
        await pilot.press("6")
        await until(pilot, lambda: f"mirror.one-sided eth1: {text}" in screen_text(pilot))
        await pilot.press("1")
        await until(pilot, lambda: "mirror.one-sided" not in screen_text(pilot))

    play(office, script, size=(80, 24))


def test_a_daemon_that_restarts_is_found_again_and_its_absence_is_said(office: Office) -> None:
    async def run() -> None:
        async with playing(office) as pilot:
            with opened(office):
                await until(pilot, lambda: "frames/s" in screen_text(pilot))
            await until(pilot, lambda: "no daemon answers at" in screen_text(pilot))
            assert "trying again" in screen_text(pilot)
            assert column(pilot, 0)[0] == "10.20.3.17:50112", "the last sample stays"
            office.engine.flow_rows = [flow_row(orig_port=61_001)]
            with opened(office):
                await until(pilot, lambda: column(pilot, 0) == ["10.20.3.44:61001"])
                assert "mirror ok" in screen_text(pilot)

    asyncio.run(run())


def test_names_neither_steer_the_terminal_nor_are_markup(office: Office) -> None:
    office.engine.flow_rows = [flow_row(name=NAMES_WITH_TRICKS, app_proto="[blink]x")]
    office.engine.host_rows = [{**office.engine.host_rows[0], "name": NAMES_WITH_TRICKS}]
    harmless = r"\x1b[2J[bold red]evil[/] \u202e"

    async def script(pilot: Pilot[None]) -> None:
        assert column(pilot, 4) == [harmless]
        assert column(pilot, 3) == ["[blink]x"]
        await pilot.press("2")
        await until(pilot, lambda: column(pilot, 1) == [harmless])
        await pilot.press("enter")
        await until(pilot, lambda: harmless in screen_text(pilot))
        assert harmless in str(pilot.app.screen.query_one("#host", Static).content)
        assert "\x1b" not in screen_text(pilot)

    play(office, script)


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (40, 8)])
def test_everything_fits_the_screen(office: Office, size: tuple[int, int]) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: table(pilot).row_count == 11)
        if size[0] >= 80:
            assert table(pilot).max_scroll_x == 0, "every column of the connections is to be seen"

    play(office, script, size)


def test_where_there_is_no_room_spare_columns_are_left_out_unless_they_sort(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await until(pilot, lambda: table(pilot).row_count == 6)
        assert "out kB/s" not in screen_text(pilot)
        assert "00:1b:44:11:3a:05" in screen_text(pilot)
        await pilot.press("<", "<")
        await until(pilot, lambda: "out kB/s▼" in screen_text(pilot))
        assert "in kB/s" not in screen_text(pilot)
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: "in kB/s" in screen_text(pilot))

    play(office, script, size=(80, 24))


def test_a_changed_size_measures_the_columns_anew(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        assert "download.example.com" in screen_text(pilot)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "download.example.com" not in screen_text(pilot))
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: "download.example.com" in screen_text(pilot))

    play(office, script)


def test_q_quits_and_nothing_listens_any_more(office: Office) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("q")
        await until(pilot, lambda: not pilot.app.is_running)

    play(office, script)
