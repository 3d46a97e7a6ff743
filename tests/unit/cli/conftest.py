"""A stand-in for the core's list compiler, so that commands can be tested without a built core."""

import pytest

from sensor.watchlist import store
from sensor.watchlist.load import CoreList
from sensor.watchlist.store import ListSummary


class FakeCompiled:
    """Takes every line but those that say `junk`."""

    def __init__(self, given: list[CoreList]) -> None:
        self.lists = [self._summary(name, text.decode().splitlines()) for name, _, text, _ in given]

    def _summary(self, name: str, lines: list[str]) -> ListSummary:
        refused = [(number, 1, f"{line!r} is junk") for number, line in enumerate(lines, 1) if "junk" in line]
        entries = len(lines) - len(refused)
        return ListSummary(
            name=name, entries=entries, indicators={"ip": entries}, refused=refused, refused_total=len(refused)
        )


@pytest.fixture
def fake_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "native_compile", lambda: FakeCompiled)
    monkeypatch.setattr("sensor.cli.watchlist.native_compile", lambda: FakeCompiled)
