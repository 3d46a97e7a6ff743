"""Capture files as typed records and Arrow tables: what scripts ask of a capture, at the speed of the core."""

from sensor.library.capture import Capture, open_capture
from sensor.library.records import DnsMessage, Flow, HttpExchange, QuicHello, SshBanners, TlsHello
from sensor.library.tables import Table

__all__ = [
    "Capture",
    "DnsMessage",
    "Flow",
    "HttpExchange",
    "QuicHello",
    "SshBanners",
    "Table",
    "TlsHello",
    "open_capture",
]
