"""A TCP connection as the two ends speak it: sequence numbers, acknowledgements, beginning and end."""

from __future__ import annotations

from collections.abc import Iterator

from sensor.demo.frames import ACK, FIN, PSH, RST, SYN, Endpoint, Segment, tcp

MSS_BYTES = 1460


class Conversation:
    """Builds the frames of one connection in order. `client` opens it."""

    def __init__(self, client: Endpoint, server: Endpoint) -> None:
        self._ends = (client, server)
        self._next = [client.port * 7919, server.port * 104729]

    def open(self) -> Iterator[bytes]:
        """The three-way handshake."""
        yield self._segment(0, SYN)
        yield self._segment(1, SYN | ACK)
        yield self._segment(0, ACK)

    def attempt(self) -> bytes:
        """A SYN that stays unanswered."""
        return self._segment(0, SYN)

    def send(self, payload: bytes, *, from_client: bool) -> Iterator[bytes]:
        """`payload` in segments of at most 1460 bytes, each second one and the last acknowledged."""
        sender = 0 if from_client else 1
        pieces = [payload[start : start + MSS_BYTES] for start in range(0, len(payload), MSS_BYTES)]
        for number, piece in enumerate(pieces, start=1):
            yield self._segment(sender, PSH | ACK, piece)
            if number % 2 == 0 or number == len(pieces):
                yield self._segment(1 - sender, ACK)

    def close(self) -> Iterator[bytes]:
        """Both ends finish, the client first."""
        yield self._segment(0, FIN | ACK)
        yield self._segment(1, FIN | ACK)
        yield self._segment(0, ACK)

    def reset(self, *, from_client: bool) -> bytes:
        """One end gives up."""
        return self._segment(0 if from_client else 1, RST | ACK)

    def _segment(self, sender: int, flags: int, payload: bytes = b"") -> bytes:
        receiver = 1 - sender
        acknowledged = self._next[receiver] if flags & ACK else 0
        segment = Segment(flags, self._next[sender], acknowledged, payload)
        self._next[sender] += len(payload) + bool(flags & (SYN | FIN))
        return tcp(self._ends[sender], self._ends[receiver], segment)
