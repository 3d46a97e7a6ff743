from tests.unit.identity.messages import PC_IP, PC_MAC, evidence, frame, nbns

GROUP = 0x8000


def test_a_registration_and_a_refresh_name_the_machine() -> None:
    for opcode, suffix in ((5, 0x00), (8, 0x20), (9, 0x00)):
        message = nbns("PC-0417", PC_IP, opcode, suffix=suffix)
        assert evidence(frame("nbns", message)) == [(PC_IP, PC_MAC, "PC-0417")]


def test_groups_questions_and_other_services_name_nobody() -> None:
    assert evidence(frame("nbns", nbns("CORP", PC_IP, flags=GROUP))) == []
    assert evidence(frame("nbns", nbns("PC-0417", PC_IP, opcode=0))) == []
    assert evidence(frame("nbns", nbns("CORP", PC_IP, suffix=0x1B))) == []


def test_the_mac_is_the_machines_only_on_its_own_link() -> None:
    routed = frame("nbns", nbns("PC-0417", PC_IP), (PC_IP, "10.9.0.1"), receiver="00:1c:73:00:00:01")
    other = frame("nbns", nbns("PC-0417", "10.20.3.45"))
    assert evidence(routed) == [(PC_IP, None, "PC-0417")]
    assert evidence(other) == [("10.20.3.45", None, "PC-0417")]
