from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from sensor.alerts.incident import Condition, StateDocument
from sensor.alerts.policy import Policy
from sensor.alerts.state import StateFile, decode, encode
from sensor.engine import Batch
from tests.unit.samples import START, finding, hit, judged


def _document() -> StateDocument:
    policy = Policy()
    policy.take(Batch(START, [hit(), hit(START + 1, flow_id=8)], [finding()]))
    policy.observe([Condition("mirror.silent", "eth1", "shows no frame for 60 s")], START)
    return policy.document()


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "new" / "state")
    assert state.load() is None
    assert state.save(encode(_document()))
    loaded = state.load()
    assert loaded is not None
    assert encode(loaded) == encode(_document())
    assert len(loaded.incidents) == 3
    assert not list(state.path.parent.glob("*.tmp"))
    assert state.path.stat().st_mode & 0o007 == 0


def test_an_incident_of_a_retro_hunt_outlives_a_restart() -> None:
    policy = Policy()
    policy.take(Batch(START, judged=[judged(rule="watchlist.retro", subject="203.0.113.9")]))
    [incident] = decode(encode(policy.document())).incidents
    assert incident.rule == "watchlist.retro"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe\x00",
        encode(_document())[:-40],
        encode(StateDocument([], [], version=99)),
        encode(_document()).replace(b"watchlist.ip", b"smtp.bulk"),
        encode(_document()).replace(b"watchlist.ip", b"no.such"),
        encode(_document()).replace(b'"opened_ns":', b'"opened_ns":"x","y":'),
    ],
)
def test_a_damaged_file_is_set_aside_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: Any
) -> None:
    state = StateFile(tmp_path)
    state.path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert state.load() is None
    assert len(caplog.records) == 1
    assert "incidents.damaged.json" in caplog.text
    assert (tmp_path / "incidents.damaged.json").read_bytes() == content
    assert not state.path.exists()


def test_a_save_that_fails_leaves_the_old_file_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = StateFile(tmp_path)
    state.save(b"old")
    temporary = state.path.with_suffix(".json.tmp")
    temporary.mkdir()
    with caplog.at_level(logging.WARNING):
        assert not state.save(b"new")
        assert not state.save(b"new")
        assert state.path.read_bytes() == b"old"
        assert state.errors == 2
        temporary.rmdir()
        assert state.save(b"new")
    assert state.path.read_bytes() == b"new"
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_the_content_is_on_the_disk_before_it_takes_the_old_ones_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateFile(tmp_path)
    state.save(b"old")
    on_disk: list[bytes] = []
    real = os.fsync

    def spy(descriptor: int) -> None:
        on_disk.append(state.path.read_bytes())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    state.save(b"new")
    assert on_disk == [b"old", b"new"], "first the file, then, renamed, its directory"


def test_the_document_is_readable_json() -> None:
    found = json.loads(encode(_document()))
    assert {incident["rule"] for incident in found["incidents"]} == {"watchlist.ip", "smtp.bulk", "mirror.silent"}
    assert decode(encode(_document())).version == 1
