"""Paths and globs to the texts of lists."""

import os
from pathlib import Path

import pytest

from sensor.config.detection import WatchlistSource
from sensor.watchlist import load
from sensor.watchlist.load import ListError, ListFile, ListText, list_files, read_list


def source(path: Path | str, **keys: object) -> WatchlistSource:
    return WatchlistSource.model_validate({"path": Path(path), **keys})


def read(path: Path, **keys: object) -> ListText:
    return read_list(ListFile(path, source(path, **keys)))


def test_files_are_found_once_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "dir.csv").mkdir()
    files = list_files([source(tmp_path / "c.txt"), source(tmp_path / "*.csv"), source(tmp_path / "a.csv", severity=3)])
    assert [file.name for file in files] == ["c", "a", "b"]
    assert files[1].source.severity == 1, "the first that names a file counts"


def test_a_file_that_is_not_there_is_still_named_but_a_glob_may_match_nothing(tmp_path: Path) -> None:
    assert [file.name for file in list_files([source(tmp_path / "x.txt"), source(tmp_path / "*.csv")])] == ["x"]


def test_more_lists_than_are_sane_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MOST_LISTS", 1)
    with pytest.raises(ListError, match="2 lists; 1 are the most"):
        list_files([source(tmp_path / "a"), source(tmp_path / "b")])


def test_own_formats_go_to_the_core_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(b"203.0.113.9\r\n\xff\n")
    assert read(path, severity=2).core == ("mine", "plain", b"203.0.113.9\r\n\xff\n", 2)
    path.write_bytes(b"indicator\n203.0.113.9\n")
    assert read(path).format == "csv"
    assert read(path, format="plain").format == "plain"


def test_a_feed_is_converted(tmp_path: Path) -> None:
    path = tmp_path / "feodo.csv"
    path.write_bytes(b'# c\n"dst_ip","dst_port"\n"203.0.113.9","443"\n')
    found = read(path, severity=3)
    assert found.format == "feodo"
    name, format_, text, severity = found.core
    assert (name, format_, severity) == ("feodo", "csv", 3)
    assert b"\nip_port,203.0.113.9,443,tcp," in text
    assert read(path, format="feodo") == read(path)
    path.write_bytes(b"203.0.113.9\n")
    with pytest.raises(ListError, match="header of Feodo"):
        read(path, format="feodo")


def test_a_reason_is_harmless_whatever_it_quotes(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(b"- !%1b%5b31m" + b"x" * 1000 + b" y\n")
    with pytest.raises(ListError) as caught:
        read(path)
    reason = str(caught.value)
    assert reason.startswith("line 1, column 3: the tag !\ufffd[31mxxx")
    assert len(reason) == 400


def test_what_is_no_list_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    for text, reason in ((b"<html>", "an HTML or XML page"), (b"{}", "of no feed"), (b"\x1f\x8b", "compressed")):
        path.write_bytes(text)
        with pytest.raises(ListError, match=reason):
            read(path)


def test_utf_16_is_turned_into_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "notepad.txt"
    path.write_bytes("203.0.113.9\r\n".encode("utf-16"))
    assert read(path).text == b"203.0.113.9\r\n"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ListError, match="not valid UTF-16"):
        read(path)


def test_what_is_no_file_does_not_hold_the_sensor_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(ListError, match="not a file"):
        read(tmp_path / "pipe.txt")
    with pytest.raises(ListError, match="Is a directory"):
        read(tmp_path)
    with pytest.raises(ListError, match="cannot be read: No such file or directory"):
        read(tmp_path / "nothing.txt")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    path.touch()
    os.truncate(path, load.LARGEST_LIST_BYTES + 1)
    with pytest.raises(ListError, match="larger than 256 MiB"):
        read(path)
