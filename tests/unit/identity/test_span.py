from sensor.identity.span import MOST_SPANS, SAME_MACHINE_NS, Name, Span, better, span_at, span_for
from tests.unit.samples import SECOND, START

HOUR = 3600 * SECOND
A, B, C = "00:1b:44:00:00:0a", "00:1b:44:00:00:0b", "00:1b:44:00:00:0c"


def heard(spans: list[Span], mac: str | None, time_ns: int) -> None:
    span_for(spans, mac, time_ns).extend(time_ns, "arp")


def macs(spans: list[Span]) -> list[str | None]:
    return [span.mac for span in spans]


def test_an_address_that_moves_was_two_machines_and_a_return_is_a_third_span() -> None:
    spans: list[Span] = []
    for hours, mac in ((0, A), (1, A), (5, B), (6, B), (20, A)):
        heard(spans, mac, START + hours * HOUR)
    assert macs(spans) == [A, B, A]
    assert (spans[0].first_seen_ns, spans[0].last_seen_ns) == (START, START + HOUR)
    found = [span_at(spans, START + hours * HOUR) for hours in (0, 2, 5, 7, 30)]
    assert [span.mac if span else None for span in found] == [A, A, B, B, A]


def test_machines_that_alternate_are_two_spans_however_long_it_lasts() -> None:
    spans: list[Span] = []
    for number in range(10_000):
        heard(spans, (A, B)[number % 2], START + number * SECOND)
    assert sorted(macs(spans), key=str) == [A, B]


def test_the_history_of_an_address_is_bounded() -> None:
    spans: list[Span] = []
    for number in range(100):
        heard(spans, f"00:1b:44:00:00:{number:02x}", START + number * HOUR)
    assert macs(spans) == [f"00:1b:44:00:00:{number:02x}" for number in range(100 - MOST_SPANS, 100)]


def test_a_machine_without_a_mac_gets_it_later() -> None:
    spans: list[Span] = []
    heard(spans, None, START)
    heard(spans, C, START + SECOND)
    heard(spans, None, START + 2 * SECOND)
    assert [(span.mac, span.first_seen_ns, span.last_seen_ns) for span in spans] == [(C, START, START + 2 * SECOND)]


def test_before_the_first_words_only_a_short_while_counts() -> None:
    spans = [Span(A, START, START)]
    assert span_at(spans, START - SAME_MACHINE_NS) is spans[0]
    assert span_at(spans, START - SAME_MACHINE_NS - 1) is None
    assert span_at([], START) is None


def test_a_name_gives_way_only_to_one_that_is_believed_as_much() -> None:
    dhcp, mdns, newer = Name("PC", "dhcp"), Name("liar", "mdns"), Name("PC2", "dhcp")
    assert better(dhcp, mdns) is dhcp
    assert better(mdns, dhcp) is dhcp
    assert better(dhcp, newer) is newer
    assert better(None, mdns) is better(mdns, None) is mdns
