from tests.unit.identity.messages import BROADCAST, PC_MAC, ROUTER_MAC, frame


def test_only_what_goes_to_a_group_was_sent_on_the_link() -> None:
    assert frame("nbns", b"", receiver=BROADCAST).link_mac == PC_MAC
    assert frame("nbns", b"", receiver=ROUTER_MAC).link_mac is None
    assert frame("nbns", b"")._replace(macs=(PC_MAC, None)).link_mac is None
