from tests.unit.identity.messages import MULTICAST, PC_IP, PC_MAC, dns_answer, evidence, frame

PC6 = "fd00:20::44"


def test_an_answer_names_its_addresses_and_the_sender_by_mac() -> None:
    message = dns_answer("Anna-MacBook.local", PC_IP, PC6, "fe80::44")
    found = evidence(frame("mdns", message, (PC_IP, "224.0.0.251"), MULTICAST))
    assert found == [(PC_IP, PC_MAC, "Anna-MacBook"), (PC6, None, "Anna-MacBook")]


def test_names_of_elsewhere_and_questions_say_nothing() -> None:
    assert evidence(frame("mdns", dns_answer("www.example.com", PC_IP))) == []
    question = b"\0\0\0\0" + dns_answer("pc.local", PC_IP)[4:]
    assert evidence(frame("mdns", question)) == []


def test_llmnr_answers_with_a_single_label() -> None:
    found = evidence(frame("llmnr", dns_answer("pc-0417", PC_IP), (PC_IP, "10.20.3.9"), "00:1b:44:00:00:09"))
    assert found == [(PC_IP, None, "pc-0417")]
