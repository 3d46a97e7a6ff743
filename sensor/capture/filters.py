"""Whether a BPF expression compiles, without an interface and without privilege."""

import os
import struct

from sensor.capture.binding import error_text

# Header of a pcap file (draft-ietf-opsawg-pcap, section 4): magic, version 2.4, reserved,
# snaplen, LINKTYPE_ETHERNET.
_EMPTY_CAPTURE = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


def filter_error(expression: str) -> str | None:
    """Give libpcap's reason why an expression does not compile for Ethernet frames, None if it does.

    The binding's own compiler object says "bad filter" and no more, so the expression is set on an empty capture in
    memory. Host names in an expression are looked up, as tcpdump does.
    """
    if not expression.isprintable():
        return "a control character in the expression"
    # Late: libpcap brings a dozen libraries, and few configurations have a filter.
    import pcap  # noqa: PLC0415

    descriptor = os.memfd_create("empty.pcap")
    try:
        os.write(descriptor, _EMPTY_CAPTURE)
        handle = pcap.pcap(f"/proc/self/fd/{descriptor}")
        try:
            handle.setfilter(expression)
        except OSError as error:
            return error_text(error)
        finally:
            handle.close()
    finally:
        os.close(descriptor)
    return None
