import sys

import pytest

from sensor.identity import vendor


def test_the_vendor_is_told_and_a_private_address_has_none() -> None:
    assert vendor.vendor_of("00:1b:44:11:3a:b7") == "SanDisk Corporation"
    assert vendor.vendor_of("02:1b:44:11:3a:b7") == "private address"


def test_without_the_list_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor.vendor_of.cache_clear()
    monkeypatch.setitem(sys.modules, "aiooui", None)
    assert vendor.vendor_of("00:1b:44:11:3a:b7") is None
    vendor.vendor_of.cache_clear()
