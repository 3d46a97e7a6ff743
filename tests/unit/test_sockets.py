from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sensor.api.server import ServerError
from sensor.config import Config, load
from sensor.sockets import Listeners


def config(tmp_path: Path, **overrides: object) -> Config:
    return load(None, {"api.socket": str(tmp_path / "api.sock"), "metrics.listen": "127.0.0.1:39669", **overrides})


def test_both_are_opened_and_closed(tmp_path: Path) -> None:
    with Listeners(config(tmp_path)) as listeners:
        assert listeners.tcp is not None
        assert listeners.tcp.getsockname() == ("127.0.0.1", 39669)
        assert (tmp_path / "api.sock").exists()
        assert (listeners.token, listeners.tls) == (None, None)
    assert not (tmp_path / "api.sock").exists()


def test_what_is_null_is_not_opened(tmp_path: Path) -> None:
    with Listeners(config(tmp_path, **{"metrics.listen": None, "api.socket": None})) as listeners:
        assert (listeners.tcp, listeners.unix) == (None, None)


def test_the_token_is_read_without_its_line_end(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    with Listeners(config(tmp_path, **{"metrics.token_file": str(token)})) as listeners:
        assert listeners.token == token.read_text().strip()


@pytest.mark.parametrize("content", [None, b"", b"short", b"\xff" * 20])
def test_a_token_file_that_holds_none_is_refused(tmp_path: Path, content: Any) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)
    with pytest.raises(ServerError, match=r"metrics\.token_file"):
        Listeners(config(tmp_path, **{"metrics.token_file": str(token)})).__enter__()


def test_if_one_cannot_be_opened_the_other_is_closed(tmp_path: Path) -> None:
    (tmp_path / "api.sock").write_text("in the way")
    with pytest.raises(ServerError, match="in the way"):
        Listeners(config(tmp_path)).__enter__()
    with Listeners(config(tmp_path, **{"api.socket": None})):
        pass
    assert (tmp_path / "api.sock").read_text() == "in the way"
