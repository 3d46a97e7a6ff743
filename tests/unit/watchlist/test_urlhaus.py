"""URLhaus's CSV."""

import pytest

from sensor.watchlist.urlhaus import convert
from tests.unit.watchlist.converted import rows

SAMPLE = b"""################################################################
# abuse.ch URLhaus Database Dump (CSV - recent URLs only)      #
################################################################
#
# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter
"3456","2026-11-20 11:54:23","http://203.0.113.9:37352/bin.sh","online","2026-11-21 01:00:00",\
"malware_download","elf,mips,Mozi","https://urlhaus.example/url/3456/","someone"
"3457","2026-11-20 11:54:24","http://bad.example.com/a","offline","","malware_download","None",\
"https://urlhaus.example/url/3457/","someone"
"3458","2026-11-20 11:54:25","http://bad.exa
"""


def test_urls_are_taken_online_or_not() -> None:
    conversion = convert(SAMPLE)
    first, second = rows(conversion)
    assert first == {
        "type": "url",
        "indicator": "http://203.0.113.9:37352/bin.sh",
        "source": "urlhaus",
        "source_id": "3456",
        "threat_type": "malware_download",
        "tags": "elf,mips,Mozi",
        "first_seen": "2026-11-20 11:54:23",
        "last_seen": "2026-11-21 01:00:00",
        "reference": "https://urlhaus.example/url/3456/",
        "comment": "online",
        "at": "6:1",
    }
    assert (second["indicator"], second["comment"], second.get("tags")) == ("http://bad.example.com/a", "offline", None)
    assert conversion.refused == [(8, 1, "not CSV: a quote stands wrong or is never closed")]


@pytest.mark.parametrize("text", [b"", b"# only a comment\n", b"http://bad.example.com/\n"])
def test_without_a_header_it_is_no_such_file(text: bytes) -> None:
    with pytest.raises(ValueError, match="URLhaus"):
        convert(text)
