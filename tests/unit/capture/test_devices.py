"""Interfaces as the kernel tells them."""

import pytest

from sensor.capture import devices
from sensor.capture.devices import Device

ETHERNET = Device("eth1", "up", 1000, "igb", "00:1b:44:11:3a:b7", 1500, 1)


def test_loopback_is_found() -> None:
    found = {device.name: device for device in devices.devices()}
    assert found["lo"].hardware_type == 772
    assert found["lo"].mac is None
    assert devices.link_type("lo") == "EN10MB (Ethernet)"


def test_what_is_not_there_has_nothing() -> None:
    assert devices.link_type("nothing0") is None
    assert not devices.is_up("nothing0")


@pytest.mark.parametrize(
    ("state", "hardware_type", "privileged", "obstacle"),
    [
        ("up", 1, True, None),
        ("no carrier", 1, True, None),
        ("down", 1, True, "down"),
        ("up", 824, True, "link type not supported"),
        ("up", None, True, "link type not supported"),
        ("up", 1, False, "needs root or CAP_NET_RAW"),
    ],
)
def test_what_stands_in_the_way_is_said(
    monkeypatch: pytest.MonkeyPatch, state: str, hardware_type: int | None, privileged: bool, obstacle: str | None
) -> None:
    monkeypatch.setattr(devices, "may_capture", lambda: privileged)
    device = Device("eth1", state, 1000, "igb", None, 1500, hardware_type)
    assert device.obstacle == obstacle
