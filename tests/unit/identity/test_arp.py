from tests.unit.identity.messages import PC_IP, PC_MAC, arp, evidence, frame


def test_asking_and_answering_say_the_senders_pair() -> None:
    for operation in (1, 2):
        assert evidence(frame("arp", arp(PC_IP, operation=operation))) == [(PC_IP, PC_MAC, None)]
    assert evidence(frame("arp", arp(PC_IP, target=PC_IP))) == [(PC_IP, PC_MAC, None)]


def test_a_probe_and_what_is_no_machine_says_nothing() -> None:
    assert evidence(frame("arp", arp("0.0.0.0"))) == []  # noqa: S104
    assert evidence(frame("arp", arp(PC_IP, sender_mac="ff:ff:ff:ff:ff:ff"))) == []
    assert evidence(frame("arp", arp(PC_IP, operation=3))) == []
    token_ring = b"\x00\x06" + arp(PC_IP)[2:]
    assert evidence(frame("arp", token_ring)) == []
