from pathlib import Path

import pytest

from sensor.config.outputs import History as Settings
from sensor.history.inventory import Inventory
from sensor.history.tree import HOUR_NS, Hour, hour_directory
from tests.unit.history.samples import NOON, settings

SIZE = 1000
PART = "part-0123456789abcdef.parquet"
COMPACTED = "hour-0011aaff-0-0.parquet"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Ten hours of flows and DNS, with rollups."""
    for hour in range(NOON - 9, NOON + 1):
        for kind in ("flow", "dns", "rollup"):
            _put(tmp_path, Hour(hour, kind), COMPACTED)
    return tmp_path


def _put(root: Path, hour: Hour, name: str) -> Path:
    directory = hour_directory(root, hour)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(bytes(SIZE))
    return directory / name


def _scanned(wanted: Settings) -> Inventory:
    inventory = Inventory(wanted)
    inventory.scan()
    return inventory


def _kept(root: Path, kind: str) -> list[int]:
    return sorted(hour for hour in range(NOON - 9, NOON + 1) if hour_directory(root, Hour(hour, kind)).exists())


def test_nothing_goes_while_nothing_is_too_much(root: Path) -> None:
    inventory = _scanned(settings(root))
    inventory.tidy()
    assert (inventory.bytes, inventory.oldest_ns) == (30 * SIZE, (NOON - 9) * HOUR_NS)
    assert len(_kept(root, "flow")) == 10


def test_what_is_too_old_goes_and_rollups_live_four_times_as_long(root: Path) -> None:
    inventory = _scanned(settings(root, max_age="2h"))
    inventory.tidy()
    assert _kept(root, "flow") == _kept(root, "dns") == [NOON - 2, NOON - 1, NOON]
    assert _kept(root, "rollup") == list(range(NOON - 8, NOON + 1))
    assert inventory.bytes == (3 + 3 + 9) * SIZE
    assert inventory.oldest_ns == (NOON - 2) * HOUR_NS


def test_what_is_too_much_goes_the_oldest_first(root: Path) -> None:
    inventory = _scanned(settings(root, max_size=26 * SIZE))
    inventory.tidy()
    assert _kept(root, "flow") == _kept(root, "dns") == list(range(NOON - 7, NOON + 1))
    assert len(_kept(root, "rollup")) == 10
    assert not hour_directory(root, Hour(NOON - 9, "flow")).exists()


def test_the_disk_keeps_free_space_as_far_as_deleting_can_make_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = _scanned(settings(root, min_free=100 * SIZE))
    monkeypatch.setattr(inventory, "_free_bytes", lambda: 97 * SIZE)
    inventory.tidy()
    assert inventory.bytes == 27 * SIZE
    monkeypatch.setattr(inventory, "_free_bytes", lambda: 0)
    inventory.tidy()
    # The hour that is being written stays.
    assert _kept(root, "flow") == _kept(root, "rollup") == [NOON]


def test_other_peoples_files_stay(root: Path) -> None:
    mine = [_put(root, Hour(NOON - 9, "flow"), "mine.parquet"), root / "kind=flow" / "notes.txt"]
    mine[1].write_text("mine")
    _put(root, Hour(NOON - 9, "flow"), f"{PART}.damaged")
    inventory = _scanned(settings(root, max_age="1h"))
    inventory.tidy()
    assert [file.exists() for file in mine] == [True, True]
    assert [entry.name for entry in mine[0].parent.iterdir()] == ["mine.parquet"]


def test_an_hour_is_to_be_compacted_when_it_is_over_and_something_in_it_is_not(root: Path) -> None:
    _put(root, Hour(NOON - 1, "dns"), PART)
    _put(root, Hour(NOON, "dns"), PART)
    hour_directory(root, Hour(NOON - 3, "rollup")).joinpath(COMPACTED).unlink()
    inventory = _scanned(settings(root))
    over_ns = NOON * HOUR_NS
    assert inventory.uncompacted(over_ns) == [Hour(NOON - 1, "dns"), Hour(NOON - 3, "flow")]
    assert inventory.uncompacted(over_ns - 1) == [Hour(NOON - 3, "flow")]
    assert Hour(NOON, "dns") in inventory.uncompacted(over_ns + HOUR_NS)
