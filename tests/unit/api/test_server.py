from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sensor.alerts.desk import AlertDesk, EventLog
from sensor.alerts.policy import Policy
from sensor.api.app import network_app, socket_endpoint
from sensor.api.live import LiveView
from sensor.api.server import ApiServer, Endpoint, ServerError, open_tcp, open_unix, tls_context
from sensor.engine import Batch, Engine
from sensor.identity.facts import Evidence
from sensor.identity.naming import Identities
from tests.unit.samples import HOST, SECOND, START, FakeEngine, flow_row, hit, host_row

TOKEN = "0123456789abcdef0123"  # noqa: S105


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(str(self.path))


MAC = "00:1b:44:11:3a:b7"


def view_of(engine: FakeEngine) -> LiveView:
    policy = Policy()
    desk = AlertDesk(policy, EventLog(engine.log_event, frozenset(), "hq"))
    desk.take(Batch(START, [hit()]))
    native: Any = engine
    identities = Identities(10, [ip_network("10.0.0.0/8")])
    identities.learn(Evidence(START, "dhcp", HOST, MAC, "PC-0417"))
    identities.learn(Evidence(START + 3600 * SECOND, "arp", "10.0.0.1", "00:1b:44:11:3a:b9"))
    return LiveView(native, desk, engine.counters, tuple, identities)


@contextlib.contextmanager
def serving(*endpoints: Endpoint) -> Iterator[ApiServer]:
    server = ApiServer(endpoints)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def get(connection: http.client.HTTPConnection, path: str, **headers: str) -> tuple[int, Any]:
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    is_json = response.headers["content-type"].startswith("application/json")
    return response.status, json.loads(body) if is_json else body


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def unix(tmp_path: Path, engine: FakeEngine) -> Iterator[UnixConnection]:
    path = tmp_path / "run" / "api.sock"
    with open_unix(path) as listener, serving(socket_endpoint(listener, view_of(engine))):
        yield UnixConnection(path)


def tcp(listener: socket.socket) -> http.client.HTTPConnection:
    host, port = listener.getsockname()
    return http.client.HTTPConnection(host, port, timeout=10)


def test_the_unix_socket_answers_everything(unix: UnixConnection) -> None:
    status, answer = get(unix, "/api/status")
    assert status == 200
    assert answer["healthy"] is True
    assert answer["alerts"] == {"open": 1, "opened": 1, "suppressed": 0}
    assert get(unix, "/healthz") == (200, "ok\n")
    assert get(unix, "/api/alerts")[1][0]["host"] == "10.20.3.44"
    status, text = get(unix, "/metrics")
    assert status == 200
    assert "spanwatch_capture_frames_total" in {
        sample.name for family in text_string_to_metric_families(text) for sample in family.samples
    }


def test_tables_take_filter_order_and_limit(unix: UnixConnection, engine: FakeEngine) -> None:
    engine.host_rows = [host_row(ip=f"10.0.0.{number}") for number in range(1, 4)]
    status, rows = get(unix, "/api/hosts?filter=10.0.0.0%2F8&order=bytes&limit=2")
    assert status == 200
    assert [row["ip"] for row in rows] == ["10.0.0.1", "10.0.0.2"]
    assert get(unix, "/api/flows") == (200, [{**flow_row(), "local": "orig"}])
    assert engine.asked == [("hosts", "10.0.0.0/8", "bytes", 2), ("flows", "", "", 100)]


def test_hosts_and_incidents_say_which_machine_it_is(unix: UnixConnection, engine: FakeEngine) -> None:
    engine.host_rows = [host_row(ip="10.0.0.1")]
    host = get(unix, "/api/hosts?limit=1")[1][0]
    assert (host["mac"], host["mac_from"], host["vendor"]) == (MAC, "frames", "SanDisk Corporation")
    assert [span["mac"] for span in host["history"]] == ["00:1b:44:11:3a:b9"]
    (incident,) = get(unix, "/api/alerts")[1]
    assert (incident["host"], incident["machine"]["name"], incident["machine"]["mac"]) == (HOST, "PC-0417", MAC)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limit=0", "limit: a whole number from 1 to 10000"),
        ("limit=10001", "limit: a whole number from 1 to 10000"),
        ("limit=-1", "limit: a whole number from 1 to 10000"),
        ("limit=1e3", "limit: a whole number from 1 to 10000"),
        ("limit=%D9%A1", "limit: a whole number from 1 to 10000"),
        ("limit=" + "9" * 5000, "limit: a whole number from 1 to 10000"),
        ("order=a;b", "order: one word"),
        ("order=no", "cannot order by 'no'"),
        ("filter=a%00b", "filter: at most 200 printable characters"),
        ("filter=" + "a" * 201, "filter: at most 200 printable characters"),
        ("sort=bytes", "unknown parameter: sort"),
    ],
)
def test_a_bad_question_is_refused_with_the_reason(unix: UnixConnection, query: str, reason: str) -> None:
    assert get(unix, f"/api/hosts?{query}") == (400, {"error": reason})


def test_what_is_not_there_and_what_breaks_is_json_too(
    unix: UnixConnection, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get(unix, "/api/nothing") == (404, {"error": "Not Found"})
    monkeypatch.setattr(engine, "hosts", lambda *_: 1 / 0)
    assert get(unix, "/api/hosts") == (500, {"error": "the sensor failed to answer: ZeroDivisionError"})


def test_the_network_gets_metrics_and_health_only(engine: FakeEngine) -> None:
    with open_tcp("127.0.0.1", 0) as listener, serving(Endpoint(listener, network_app(view_of(engine), None))):
        assert get(tcp(listener), "/metrics")[0] == 200
        assert get(tcp(listener), "/healthz")[0] == 200
        for path in ("status", "hosts", "flows", "alerts"):
            assert get(tcp(listener), f"/api/{path}")[0] == 404


def test_a_stalled_worker_is_not_healthy(tmp_path: Path, engine: FakeEngine) -> None:
    view = view_of(engine)
    view.workers_advance = False
    with open_unix(tmp_path / "s") as listener, serving(socket_endpoint(listener, view)):
        assert get(UnixConnection(tmp_path / "s"), "/healthz") == (503, "a worker stands still\n")
        assert get(UnixConnection(tmp_path / "s"), "/api/status")[1]["problems"] == ["a worker stands still"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
    ],
)
def test_a_token_is_asked_for(engine: FakeEngine, headers: dict[str, str], status: int) -> None:
    app = network_app(view_of(engine), TOKEN)
    with open_tcp("127.0.0.1", 0) as listener, serving(Endpoint(listener, app)):
        for path in ("/metrics", "/healthz"):
            assert get(tcp(listener), path, **headers)[0] == status


def test_https_with_a_certificate(tmp_path: Path, engine: FakeEngine) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    app = network_app(view_of(engine), TOKEN)
    trusted = ssl.create_default_context(cafile=certificate)
    with (
        open_tcp("127.0.0.1", 0) as listener,
        serving(Endpoint(listener, app, tls_context(certificate, key))),
    ):
        port = listener.getsockname()[1]
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=trusted)
        assert get(connection, "/healthz", Authorization=f"Bearer {TOKEN}") == (200, "ok\n")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            get(http.client.HTTPConnection("127.0.0.1", port, timeout=10), "/healthz")
    with pytest.raises(ServerError, match="cannot use the certificate"):
        tls_context(key, certificate)


def test_a_taken_port_is_refused_with_the_next_step() -> None:
    with (
        open_tcp("127.0.0.1", 0) as listener,
        pytest.raises(ServerError, match=r"Address already in use; .*change metrics\.listen"),
    ):
        open_tcp(*listener.getsockname())


def test_the_socket_file_is_for_owner_and_group(unix: UnixConnection) -> None:
    assert stat.S_IMODE(unix.path.stat().st_mode) == 0o660


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(tmp_path: Path, engine: FakeEngine) -> None:
    path = tmp_path / "api.sock"
    open_unix(path).close()
    assert path.exists()
    with open_unix(path) as listener, serving(socket_endpoint(listener, view_of(engine))):
        with pytest.raises(ServerError, match="another spanwatch serves it"):
            open_unix(path)
        assert get(UnixConnection(path), "/healthz")[0] == 200


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    path.write_text("precious")
    with pytest.raises(ServerError, match="no socket is in the way"):
        open_unix(path)
    assert path.read_text() == "precious"


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match="cannot serve"):
        open_unix(tmp_path / "file" / "api.sock")


def test_a_slow_client_does_not_keep_others_waiting_nor_the_stop(tmp_path: Path, engine: FakeEngine) -> None:
    path = tmp_path / "s"
    with (
        open_unix(path) as listener,
        serving(socket_endpoint(listener, view_of(engine))) as server,
        socket.socket(socket.AF_UNIX) as idle,
    ):
        idle.connect(str(path))
        idle.sendall(b"GET /metrics HTTP/1.1\r\n")
        assert get(UnixConnection(path), "/healthz")[0] == 200
        begin = time.monotonic()
        server.stop()
        assert time.monotonic() - begin < 4


def test_the_stand_in_has_what_the_engine_has() -> None:
    assert {name for name in vars(FakeEngine) if not name.startswith("_")} >= {
        name for name in vars(Engine) if not name.startswith("_")
    }
