from sensor.identity.claims import system_of
from sensor.identity.facts import Evidence
from sensor.identity.names import LONGEST_AGENT
from tests.unit.identity.messages import PC_IP, facts, frame

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15"


def claim(protocol: str, message: str) -> Evidence:
    (fact,) = facts(frame(protocol, message.encode()))
    assert isinstance(fact, Evidence)
    assert (fact.ip, fact.mac) == (PC_IP, None)
    return fact


def test_a_user_agent_is_a_program_and_never_a_name() -> None:
    told = claim("agent", WINDOWS)
    assert (told.agent, told.name, told.user) == (WINDOWS, None, None)
    assert claim("agent", "a\x1b[31m<b>\n").agent == "a?[31m?b?"
    assert claim("agent", "x" * 999).agent == "x" * LONGEST_AGENT


def test_a_computer_account_is_the_hosts_name_and_another_its_user() -> None:
    told = {
        "PC-0417$\0CORP.EXAMPLE": ("PC-0417", None),
        "host/pc-0417.corp.example\0CORP.EXAMPLE": ("pc-0417.corp.example", None),
        "jane\0CORP.EXAMPLE": (None, "jane@CORP.EXAMPLE"),
        "ja\x1bne": (None, "ja?ne"),
    }
    assert {message: (claim("krb5", message).name, claim("krb5", message).user) for message in told} == told


def test_a_logon_tells_user_and_workstation() -> None:
    told = {
        "jane\0CORP\0PC-0417": ("PC-0417", "CORP\\jane"),
        "jane\0\0": (None, "jane"),
        "PC-0417$\0CORP\0": ("PC-0417", None),
        "jane": (None, "jane"),
    }
    assert {message: (claim("ntlm", message).name, claim("ntlm", message).user) for message in told} == told


def test_the_system_is_told_only_where_the_programs_agree() -> None:
    assert system_of([WINDOWS, "curl/8.1"]) == "Windows"
    assert system_of([PHONE]) == "iOS"
    assert system_of([WINDOWS, PHONE]) is None
    assert system_of(["curl/8.1"]) is None
