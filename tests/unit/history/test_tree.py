from pathlib import Path

import pytest

from sensor.alerts.text import HOUR, NS_PER_SECOND
from sensor.history import tree
from sensor.history.lock import Lock
from sensor.history.tree import Hour, Made
from tests.unit.history.samples import NOON


def _place(root: Path, hour: int, *names: str) -> None:
    directory = tree.hour_directory(root, Hour(hour, "dns"))
    directory.mkdir(parents=True)
    for name in names:
        (directory / name).write_bytes(b"")


def test_an_hour_lies_under_its_day_in_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    assert str(tree.hour_directory(Path("h"), Hour(NOON, "dns"))) == "h/kind=dns/day=2026-11-22/hour=12"
    _place(tmp_path, NOON)
    assert tree.hours(tmp_path, "dns") == [NOON]


def test_files_of_a_time_are_found_by_their_hours(tmp_path: Path) -> None:
    for hour in (NOON, NOON + 1, NOON + 13):
        _place(tmp_path, hour, f"part-{hour:016x}.parquet")
    at = (NOON * HOUR + 3599) * NS_PER_SECOND

    def found(since_ns: int | None, until_ns: int | None) -> list[int]:
        return [int(file.name[5:21], 16) for file in tree.files(tmp_path, "dns", since_ns, until_ns)]

    assert found(None, None) == [NOON, NOON + 1, NOON + 13]
    assert found(at, at) == [NOON]
    assert found(at + NS_PER_SECOND, None) == [NOON + 1, NOON + 13]
    assert found(None, at + NS_PER_SECOND) == [NOON, NOON + 1]
    assert tree.files(tmp_path, "tls") == []


def test_what_somebody_else_put_there_is_not_the_history(tmp_path: Path) -> None:
    _place(tmp_path, NOON, "part-0123456789abcdef.parquet.damaged", "part-1.parquet", "mine.parquet", "notes.txt")
    (tmp_path / "kind=dns" / "day=2026-02-31" / "hour=00").mkdir(parents=True)
    (tmp_path / "kind=dns" / "day=2026-11-22" / "hour=24").mkdir()
    (tmp_path / "kind=dns" / "README").write_text("not a day")
    assert tree.hours(tmp_path, "dns") == [NOON]
    assert tree.files(tmp_path, "dns") == []
    assert tree.is_own("part-0123456789abcdef.parquet.damaged")
    assert not tree.is_own("mine.parquet")


def test_a_compacted_file_tells_of_which_compaction_it_is() -> None:
    of = Made("0011aaff", 3)
    assert tree.made(Path(tree.compacted_name(of, 7))) == of
    assert tree.made(Path(tree.part_name())) is None


def test_a_file_tells_of_its_hour(tmp_path: Path) -> None:
    file = tree.hour_directory(tmp_path, Hour(NOON + 13, "dns")) / tree.part_name()
    assert tree.hour_of(file) == NOON + 13
    for other in ("day=2026-02-31/hour=00/a.parquet", "day=2026-11-22/hour=24/a.parquet", "a.parquet"):
        with pytest.raises(ValueError, match=r"day|hour|values"):
            tree.hour_of(tmp_path / other)


@pytest.mark.parametrize(
    ("flows", "rollup", "summed"),
    [
        ((Made("0011aaff", 1), Made("0011aaff", 1)), Made("0011aaff", 1), True),
        ((Made("0011aaff", 1),), Made("0011aaff", 0), False),
        ((Made("0011aaff", 1),), Made("0011aafe", 1), False),
        ((Made("0011aaff", 1), None), Made("0011aaff", 1), False),
        ((Made("0011aaff", 1),), None, False),
        ((), Made("0011aaff", 1), False),
        ((None,), None, False),
    ],
)
def test_an_hour_is_summed_by_the_rollup_of_the_same_compaction(
    tmp_path: Path, flows: tuple[Made | None, ...], rollup: Made | None, *, summed: bool
) -> None:
    for kind, compactions in (("flow", flows), ("rollup", (rollup,) if rollup else ())):
        directory = tree.hour_directory(tmp_path, Hour(NOON, kind))
        directory.mkdir(parents=True)
        for place, of in enumerate(compactions):
            (directory / (tree.compacted_name(of, place) if of else tree.part_name())).write_bytes(b"")
    assert tree.is_summed(tmp_path, NOON) is summed


def test_one_process_has_the_directory_and_clears_what_a_crash_left(tmp_path: Path) -> None:
    work = tmp_path / tree.WORK
    (work / "flow-1").mkdir(parents=True)
    (work / "flow-1" / "hour-0011aaff-0-0.parquet").write_bytes(b"half")
    (work / "part-1.parquet.tmp").write_bytes(b"half")
    lock = Lock(tmp_path)
    assert [entry.name for entry in work.iterdir()] == ["lock"]
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(BlockingIOError):
        Lock(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files
    lock.release()
    Lock(tmp_path).release()
