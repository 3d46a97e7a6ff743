"""DNS messages (RFC 1035, 4) of those protocols that use its form."""

import dpkt


class Message(dpkt.dns.DNS):  # type: ignore[misc]  # dpkt is untyped
    """A message whose records keep their data as bytes: dpkt refuses a message for one record of a type it lacks."""

    class RR(dpkt.dns.DNS.RR):  # type: ignore[misc]
        """A record."""

        def unpack_rdata(self, buf: bytes, off: int) -> None:
            """Leave the data as it is."""
