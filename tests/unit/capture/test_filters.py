"""BPF expressions are judged by libpcap, with its reason."""

import pytest

from sensor.capture.binding import error_text
from sensor.capture.filters import filter_error

ACTIVATE = "Activateing packet capture failed. Error returned by packet capture library was"


@pytest.mark.parametrize(
    "expression", ["", "udp", "vlan 5 and port 53", "tcp[tcpflags] & tcp-syn != 0", "ether host 0:1b:44:11:3a:b7"]
)
def test_a_good_expression_has_no_error(expression: str) -> None:
    assert filter_error(expression) is None


@pytest.mark.parametrize(
    ("expression", "reason"),
    [("tcp prot 80", "syntax error"), ("port 99999", "port"), ("udp\0", "control character"), ("(", "syntax error")],
)
def test_a_bad_expression_has_libpcaps_reason(expression: str, reason: str) -> None:
    assert reason in (filter_error(expression) or "")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(b"can't parse filter expression: syntax error"), "can't parse filter expression: syntax error"),
        (OSError(f"{ACTIVATE} b'No such device exists'"), "No such device exists"),
        (OSError(f"{ACTIVATE} No such device exists"), "No such device exists"),
        (OSError("""b"can't do it\""""), "can't do it"),
        (OSError(), "libpcap gives no reason"),
        (OSError(b""), "libpcap gives no reason"),
    ],
)
def test_both_bindings_errors_are_readable(error: OSError, text: str) -> None:
    assert error_text(error) == text
