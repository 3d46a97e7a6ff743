from __future__ import annotations

from typing import Any

import pytest

from sensor.api.host import host_page
from sensor.api.view import UnknownError
from tests.unit.api.test_server import view_of
from tests.unit.samples import C2, HOST, FakeEngine, flow_row, host_row


def test_a_page_is_the_host_with_its_connections_and_incidents() -> None:
    engine = FakeEngine()
    page = host_page(view_of(engine), HOST)
    assert (page["address"], page["flows"]) == (HOST, [{**flow_row(), "local": "orig"}])
    assert page["host"].items() >= {**host_row(), "name": "PC-0417"}.items()
    assert [alert["remote"] for alert in page["alerts"]] == [C2]
    assert engine.asked == [("hosts", HOST, "rate", 1), ("flows", HOST, "rate", 100)]


def test_a_remote_has_no_row_of_its_own_but_its_incidents() -> None:
    page = host_page(view_of(FakeEngine(host_rows=[], flow_rows=[])), C2)
    assert page["host"] is None
    assert [alert["host"] for alert in page["alerts"]] == [HOST]


def test_an_address_is_asked_for_in_its_shortest_form() -> None:
    engine = FakeEngine()
    host_page(view_of(engine), "2001:DB8:0::0001")
    assert engine.asked[0][1] == "2001:db8::1"


def test_of_what_is_not_known_nothing_is_said() -> None:
    engine: Any = FakeEngine(host_rows=[], flow_rows=[])
    with pytest.raises(UnknownError, match=r"nothing is known of 192\.0\.2\.1"):
        host_page(view_of(engine), "192.0.2.1")
    with pytest.raises(ValueError, match="not an IPv4 or IPv6 address"):
        host_page(view_of(engine), "10.0.0.0/8")
