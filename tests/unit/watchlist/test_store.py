"""The last good version of a list serves on when a newer one is bad."""

import json
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest

from sensor.config import ConfigError
from sensor.config.detection import WatchlistSource
from sensor.watchlist import WatchlistStore
from sensor.watchlist.load import CoreList
from sensor.watchlist.store import ListSummary


@dataclass
class FakeCompiled:
    """What the core would give for plain lists: addresses are taken, everything else is refused."""

    given: list[CoreList]

    @property
    def lists(self) -> list[ListSummary]:
        return [self._summary(name, text.decode().splitlines()) for name, _, text, _ in self.given]

    def text(self, index: int) -> bytes:
        return self.given[index][2]

    @property
    def indicators(self) -> dict[str, list[str]]:
        return {
            name: [line for line in text.decode().splitlines() if is_address(line)] for name, _, text, _ in self.given
        }

    def _summary(self, name: str, lines: list[str]) -> ListSummary:
        refused = [(number, 1, "not an indicator") for number, line in enumerate(lines, 1) if not is_address(line)]
        entries = len(lines) - len(refused)
        return ListSummary(
            name=name, entries=entries, indicators={"ip": entries}, refused=refused[:1000], refused_total=len(refused)
        )


def is_address(line: str) -> bool:
    try:
        return bool(ip_address(line))
    except ValueError:
        return False


class Lists:
    """A directory of lists and a store over it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = WatchlistStore(FakeCompiled)
        self.stale: list[tuple[str, str]] = []
        self.removed: tuple[str, ...] = ()

    def write(self, name: str, *lines: str) -> Path:
        path = self.directory / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def load(self, *sources: object) -> dict[str, list[str]]:
        loaded = self.store.load([WatchlistSource.model_validate(source) for source in sources])
        self.stale = [(item.name, item.reason) for item in loaded.stale]
        self.removed = loaded.removed
        assert isinstance(loaded.watchlists, FakeCompiled)
        return loaded.watchlists.indicators


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


def addresses(count: int) -> list[str]:
    return [f"203.0.113.{number}" for number in range(1, count + 1)]


def test_lists_are_loaded_and_a_new_version_replaces_the_old(lists: Lists) -> None:
    path = lists.write("feed.txt", "203.0.113.9")
    assert lists.load({"path": path}) == {"feed": ["203.0.113.9"]}
    lists.write("feed.txt", "203.0.113.9", "203.0.113.10")
    assert lists.load({"path": path}) == {"feed": ["203.0.113.9", "203.0.113.10"]}
    assert lists.stale == []


def test_no_lists_at_all_is_fine(lists: Lists) -> None:
    assert lists.load() == {}
    assert lists.load({"path": lists.directory / "*.csv"}) == {}


def test_a_refused_line_does_not_spoil_a_list(lists: Lists) -> None:
    assert lists.load({"path": lists.write("feed.txt", "203.0.113.9", "junk")}) == {"feed": ["203.0.113.9"]}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "empty; set allow_empty if that is meant"),
        (["junk"], "every entry is refused, the first in line 1, column 1: not an indicator"),
        (addresses(9), "shrank from 20 to 9 entries; set allow_empty or restart if that is meant"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_bad_version_leaves_the_last_good_one(lists: Lists, lines: list[str] | None, reason: str) -> None:
    path, other = lists.write("feed.txt", *addresses(20)), lists.write("other.txt", "198.51.100.1")
    first = lists.load({"path": path}, {"path": other})
    for _ in range(2):
        if lines is None:
            path.unlink(missing_ok=True)
        else:
            lists.write("feed.txt", *lines)
        lists.write("other.txt", "198.51.100.2")
        assert lists.load({"path": path}, {"path": other}) == {**first, "other": ["198.51.100.2"]}
        assert lists.stale == [("feed", reason)]
    lists.write("feed.txt", *addresses(10))
    assert lists.load({"path": path}, {"path": other})["feed"] == addresses(10)
    assert lists.stale == []


def test_a_small_list_may_shrink_and_half_of_a_large_one_may_go(lists: Lists) -> None:
    path = lists.write("feed.txt", *addresses(19))
    lists.load({"path": path})
    lists.write("feed.txt", *addresses(1))
    assert lists.load({"path": path}) == {"feed": addresses(1)}
    lists.write("feed.txt", *addresses(20))
    lists.load({"path": path})
    lists.write("feed.txt", *addresses(10))
    assert lists.load({"path": path}) == {"feed": addresses(10)}


def test_a_list_may_be_empty_or_shrink_where_that_is_allowed_but_not_be_junk(lists: Lists) -> None:
    source = {"path": lists.write("feed.txt", *addresses(20)), "allow_empty": True}
    lists.load(source)
    lists.write("feed.txt", *addresses(1))
    assert lists.load(source) == {"feed": addresses(1)}
    lists.write("feed.txt")
    assert lists.load(source) == {"feed": []}
    lists.write("feed.txt", "junk")
    lists.load(source)
    assert lists.stale == [("feed", "every entry is refused, the first in line 1, column 1: not an indicator")]


def test_the_first_load_demands_that_every_list_is_good(lists: Lists) -> None:
    empty, junk = lists.write("empty.txt"), lists.write("junk.txt", "junk")
    good, missing = lists.write("good.txt", "203.0.113.9"), lists.directory / "missing.txt"
    with pytest.raises(ConfigError) as caught:
        lists.load({"path": missing}, {"path": empty}, {"path": good}, {"path": junk})
    assert str(caught.value).splitlines() == [
        f"{missing}: list missing: cannot be read: No such file or directory",
        f"{empty}: list empty: empty; set allow_empty if that is meant",
        f"{junk}: list junk: every entry is refused, the first in line 1, column 1: not an indicator",
    ]


def test_a_new_list_that_is_bad_is_only_loud_at_a_reload(lists: Lists) -> None:
    good, bad = lists.write("good.txt", "203.0.113.9"), lists.write("bad.txt")
    lists.load({"path": good})
    assert lists.load({"path": good}, {"path": bad}) == {"good": ["203.0.113.9"]}
    assert lists.stale == [("bad", "empty; set allow_empty if that is meant")]


def test_a_file_gone_from_a_glob_is_a_list_removed(lists: Lists) -> None:
    lists.write("a.csv", "203.0.113.1")
    path = lists.write("b.csv", "203.0.113.2")
    pattern = {"path": lists.directory / "*.csv", "format": "plain"}
    lists.load(pattern)
    path.unlink()
    assert lists.load(pattern) == {"a": ["203.0.113.1"]}
    assert (lists.stale, lists.removed) == ([], ("b",))


def test_a_glob_that_matches_nothing_any_more_keeps_its_lists(lists: Lists) -> None:
    path = lists.write("a.csv", "203.0.113.1")
    pattern = {"path": lists.directory / "*.csv", "format": "plain"}
    lists.load(pattern)
    path.unlink()
    assert lists.load(pattern) == {"a": ["203.0.113.1"]}
    assert lists.stale == [("a", "cannot be read: No such file or directory")]
    assert lists.load({**pattern, "allow_empty": True}) == {}


def test_a_list_that_is_no_longer_configured_is_gone(lists: Lists) -> None:
    lists.load({"path": lists.write("a.txt", "203.0.113.1")})
    assert lists.load() == {}
    assert lists.removed == ("a",)


def test_two_files_of_one_list_name_are_told_apart(lists: Lists) -> None:
    first, second = lists.write("feed.txt", "203.0.113.1"), lists.write("feed.csv", "203.0.113.2")
    with pytest.raises(ConfigError, match=f"{second}: list feed: {first} has the same list name; rename one of them"):
        lists.load({"path": first}, {"path": second, "format": "plain"})


def test_the_core_takes_what_the_sensor_reads(lists: Lists) -> None:
    pytest.importorskip("sensor._native")
    path = lists.directory / "feodo.csv"
    path.write_text(
        '# comment\n"dst_ip","dst_port","malware"\n"203.0.113.9","443","Emotet"\n"203.0.113.999","1","x"\n"1"\n'
    )
    loaded = WatchlistStore().load([WatchlistSource(path=path)])
    (summary,) = loaded.summaries
    assert (summary["name"], summary["entries"], summary["refused_total"]) == ("feodo", 1, 2)
    assert [line for line, _, _ in summary["refused"]] == [4, 5]


def test_a_feed_that_shrinks_or_is_cut_off_leaves_the_last_good_one(lists: Lists) -> None:
    pytest.importorskip("sensor._native")
    store, path = WatchlistStore(), lists.directory / "event.json"
    source = WatchlistSource(path=path)

    def write(count: int) -> bytes:
        attributes = [{"type": "ip-dst", "value": address, "to_ids": True} for address in addresses(count)]
        text = json.dumps({"Event": {"info": "x", "Attribute": attributes}}).encode()
        path.write_bytes(text)
        return text

    def load() -> tuple[int, list[str]]:
        loaded = store.load([source])
        return loaded.watchlists.lists[0]["entries"], [item.reason for item in loaded.stale]

    whole = write(40)
    assert load() == (40, [])
    write(19)
    assert load() == (40, ["shrank from 40 to 19 entries; set allow_empty or restart if that is meant"])
    path.write_bytes(whole[:-40])
    entries, (reason,) = load()
    assert entries == 40
    assert reason.startswith("line 1, column ")
    path.write_bytes(b"<html>")
    assert load() == (40, ["an HTML or XML page, not a list"])
    write(20)
    assert load() == (20, [])


def test_refusals_of_importer_and_core_are_told_together_in_the_feeds_order(lists: Lists) -> None:
    pytest.importorskip("sensor._native")
    path = lists.directory / "intel.txt"
    path.write_text(
        "#fields\tindicator\tindicator_type\n"
        "203.0.113.999\tIntel::ADDR\n"
        "x\tIntel::EMAIL\n"
        "203.0.113.9\tIntel::ADDR\n"
        "0.0.0.0/0\tIntel::SUBNET\n"
    )
    (summary,) = WatchlistStore().load([WatchlistSource(path=path)]).summaries
    assert (summary["entries"], summary["refused_total"]) == (1, 3)
    assert [(line, column) for line, column, _ in summary["refused"]] == [(2, 1), (3, 1), (5, 1)]
    assert summary["refused"][1][2] == 'type "Intel::EMAIL" is not matched'
