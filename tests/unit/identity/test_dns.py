from sensor.identity.dns import Message
from tests.unit.identity.messages import dns_answer


def test_records_of_any_type_keep_their_data() -> None:
    address, other = Message(dns_answer("pc.local", "10.0.0.1")).an
    assert (address.name, address.type, address.rdata) == ("pc.local", 1, b"\x0a\0\0\1")
    assert (other.type, other.rdata) == (47, b"\xc0\x0c\0\1\x40")
