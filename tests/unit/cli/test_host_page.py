from sensor.cli.host_page import page_rows
from tests.unit.samples import SECOND, START, host_row


def test_machines_that_had_the_address_come_with_their_times_the_last_one_first() -> None:
    spans = [
        {
            "name": name,
            "mac": mac,
            "vendor": None,
            "first_seen_ns": START + n * SECOND,
            "last_seen_ns": START + n * SECOND,
        }
        for n, (name, mac) in enumerate([(None, None), ("PC-2", "00:1b:44:11:3a:b8")])
    ]
    said = {"name": None, "vendor": None, "system": "Windows", "users": [], "agents": [], "history": spans}
    rows = list(page_rows({"address": "10.1.2.3", "host": {**host_row(), **said}, "flows": [{}], "alerts": []}))
    first, second = "2026-11-22 01:14:03 UTC", "2026-11-22 01:14:04 UTC"
    assert [row for row in rows if row[0] == "machine"] == [
        ("machine", "PC-2 00:1b:44:11:3a:b8", second, second),
        ("machine", "unknown", first, first),
    ]
    assert [row[:2] for row in rows if row[0] in {"system", "vlan", "live flows", "incidents"}] == [
        ("system", "Windows"),
        ("vlan", "20"),
        ("live flows", 1),
        ("incidents", 0),
    ]


def test_of_a_remote_address_there_is_no_host() -> None:
    rows = list(page_rows({"address": "203.0.113.9", "host": None, "flows": [{}, {}], "alerts": [{}]}))
    assert rows[0][:2] == ("host", "203.0.113.9, not an internal host, or not seen yet")
    assert [row[1] for row in rows[1:]] == [2, 1]
