"""Feodo Tracker's CSV and JSON."""

import json

import pytest

from sensor.watchlist.feodo import convert
from tests.unit.watchlist.converted import rows

SAMPLE = b"""\
################################################################
# Feodo Tracker Botnet C2 IP Blocklist (CSV format)            #
# Last updated: 2026-11-21 10:02:12 UTC                        #
################################################################
#
"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"
"2021-01-17 07:44:46","203.0.113.32","4643","online","2026-11-21","Dridex"

"2021-01-17 08:44:46","203.0.113.9","443","offline","2026-11-01","Emotet"
# END 2 entries
"""


def test_an_entry_keeps_its_line_and_what_is_known_of_it() -> None:
    first, second = rows(convert(SAMPLE))
    assert first == {
        "type": "ip_port",
        "indicator": "203.0.113.32",
        "port": "4643",
        "proto": "tcp",
        "source": "feodotracker",
        "malware": "Dridex",
        "threat_type": "botnet_cc",
        "tags": "online",
        "first_seen": "2021-01-17 07:44:46",
        "last_seen": "2026-11-21",
        "at": "7:1",
    }
    assert (second["indicator"], second["at"]) == ("203.0.113.9", "9:1")


def test_windows_line_ends_a_mark_and_another_column_order_are_read() -> None:
    (row,) = rows(convert(b"\xef\xbb\xbfdst_port, dst_ip,new\r\n443, 203.0.113.9,x\r\n"))
    assert (row["indicator"], row["port"]) == ("203.0.113.9", "443")


@pytest.mark.parametrize("bad", ['"2021","203.0.113.9"', '"2021-01-17 07:44:46","203.0.113.32","46', "<html>"])
def test_a_row_that_cannot_be_read_is_refused_alone(bad: str) -> None:
    conversion = convert(b'"dst_ip","dst_port","malware"\n"203.0.113.9","443","x"\n' + bad.encode() + b"\n")
    assert [row["indicator"] for row in rows(conversion)] == ["203.0.113.9"]
    assert [line for line, _, _ in conversion.refused] == [3]


@pytest.mark.parametrize("text", [b"", b"# only comments\n", b"203.0.113.9\n", b"<html>\n"])
def test_without_a_header_it_is_no_such_file(text: bytes) -> None:
    with pytest.raises(ValueError, match="Feodo"):
        convert(text)


def test_a_header_alone_is_an_empty_list() -> None:
    assert rows(convert(b'"dst_ip","dst_port"\n')) == []


def test_the_json_is_read() -> None:
    entry = {
        "ip_address": "203.0.113.32",
        "port": 4643,
        "status": "online",
        "hostname": None,
        "as_number": 64496,
        "as_name": "EXAMPLE",
        "country": "CN",
        "first_seen": "2021-01-17 07:44:46",
        "last_online": "2026-11-21",
        "malware": "Dridex",
    }
    conversion = convert(json.dumps([entry, {"ip_address": "203.0.113.9", "port": None}], indent=4).encode())
    first, second = rows(conversion)
    assert first == {**rows(convert(SAMPLE))[0], "at": "2:5"}
    assert second == {
        "type": "ip",
        "indicator": "203.0.113.9",
        "source": "feodotracker",
        "threat_type": "botnet_cc",
        "at": "14:5",
    }
    assert rows(convert(b"[]")) == []
    with pytest.raises(ValueError, match="not JSON"):
        convert(b'[{"ip_address": "203.0.113.32"')
