"""What holds for every importer."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.config.detection import ListFormat
from sensor.watchlist.detect import detect
from sensor.watchlist.formats import CONVERTERS
from sensor.watchlist.load import ListError, to_core
from tests.unit.watchlist import (
    test_adblock,
    test_feodo,
    test_hosts,
    test_own_yaml,
    test_spamhaus,
    test_threatfox,
    test_urlhaus,
    test_zeek,
)
from tests.unit.watchlist.converted import rows

SAMPLES: dict[ListFormat, bytes] = {
    "adblock": test_adblock.SAMPLE,
    "feodo": test_feodo.SAMPLE,
    "hosts": test_hosts.SAMPLE,
    "yaml": test_own_yaml.SAMPLE,
    "spamhaus": test_spamhaus.SAMPLE,
    "threatfox": test_threatfox.SAMPLE,
    "urlhaus": test_urlhaus.SAMPLE,
    "zeek": test_zeek.SAMPLE,
    "misp": b'{"Event": {"info": "x", "Attribute": [{"type": "ip-src", "value": "203.0.113.9", "to_ids": true}]}}',
    "stix": b'{"type": "bundle", "objects": [{"type": "indicator", "pattern": "[url:value = \'http://a.b/\']"}]}',
    "suricata-iprep": b"203.0.113.9,1,10\n198.51.100.0/24,2,20\n",
    "suricata-dataset": b"YmFkLmV4YW1wbGUuY29t\n203.0.113.9\n",
}
FORMATS = sorted(CONVERTERS)


def test_every_configurable_format_is_known() -> None:
    assert set(get_args(ListFormat)) == {"auto", "plain", "csv", *CONVERTERS}
    assert set(SAMPLES) == set(CONVERTERS)


def check(format_: ListFormat, text: bytes) -> None:
    """Rows that the core can read, or a reason."""
    try:
        conversion = CONVERTERS[format_](text)
    except ValueError:
        return
    found = rows(conversion)
    assert all("".join(row.values()).isprintable() for row in found)
    assert all(reason.isprintable() for _, _, reason in conversion.refused)
    assert conversion.refused_total >= len(conversion.refused)


@pytest.mark.parametrize("format_", FORMATS)
@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_a_reason(format_: ListFormat, text: bytes) -> None:
    check(format_, text)


@pytest.mark.parametrize("format_", FORMATS)
@given(st.data())
def test_a_feed_that_is_cut_off_or_damaged_gives_rows_or_a_reason(format_: ListFormat, data: st.DataObject) -> None:
    sample = SAMPLES[format_]
    start = data.draw(st.integers(0, len(sample)))
    end = data.draw(st.integers(start, len(sample)))
    damaged = sample[:start] + data.draw(st.binary(max_size=8)) + sample[end:]
    check(format_, damaged)
    check(format_, sample[:end])


@given(
    st.binary(max_size=200)
    | st.sampled_from(sorted(SAMPLES.values())).flatmap(
        lambda text: st.integers(0, len(text)).map(lambda end: text[:end])
    )
)
def test_any_file_is_told_apart_or_refused(text: bytes) -> None:
    try:
        assert detect(text) in get_args(ListFormat)
    except ValueError:
        assert text.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in b"{["
    try:
        to_core("feed", text, "auto", 1)
    except ListError:
        return


@pytest.mark.parametrize("format_", FORMATS)
def test_a_huge_line_is_refused_alone_or_with_the_document(format_: ListFormat) -> None:
    try:
        conversion = CONVERTERS[format_](SAMPLES[format_] + b"\n" + b"x" * 70_000 + b"\n")
    except ValueError:
        return
    (found,) = (refused for refused in conversion.refused if refused[0] == SAMPLES[format_].count(b"\n") + 2)
    assert found[2] == "a line longer than 65536 characters"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "page",
    [b"<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>\n", b"\n<html>\n127.0.0.1 bad.example.com\n"],
)
def test_an_error_page_is_no_feed(format_: ListFormat, page: bytes) -> None:
    for configured in (format_, "auto", "plain"):
        with pytest.raises(ListError, match="an HTML or XML page, not a list"):
            to_core("feed", page, configured, 1)
