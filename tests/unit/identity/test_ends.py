from __future__ import annotations

from ipaddress import ip_network

import pytest

from sensor.identity.ends import Ends
from tests.unit.samples import flow_row


@pytest.mark.parametrize(
    ("orig", "resp", "local"),
    [
        ("10.1.1.1", "203.0.113.9", "orig"),
        ("203.0.113.9", "10.1.1.1", "resp"),
        ("10.1.1.1", "10.1.1.2", "orig"),
        ("198.51.100.1", "203.0.113.9", "orig"),
        ("2001:db8::1", "fc00::1", "resp"),
    ],
)
def test_the_local_end_is_the_internal_one_or_the_originator(orig: str, resp: str, local: str) -> None:
    ends = Ends([ip_network("10.0.0.0/8"), ip_network("fc00::/7")])
    (row,) = ends.marked([flow_row(orig_ip=orig, resp_ip=resp)])
    assert row["local"] == local
