"""One pass of the core over capture files, for whoever takes its records."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sensor.engine import Batch, Engine

if TYPE_CHECKING:
    from sensor._native import RecordBatch

_POLL_SECONDS = 0.2


class Pass:
    """Reads files from their beginning to their end; ends early when it is closed."""

    def __init__(self, settings: dict[str, Any], kinds: Sequence[str]) -> None:
        """`settings` are the engine's, `kinds` the records that are wanted. ValueError: nothing can be read."""
        self._engine = Engine(settings | {"records": list(kinds)})
        try:
            self._engine.start()
        except OSError as error:
            raise ValueError(str(error)) from error
        self._ended = False

    def news(self) -> Iterator[tuple[Batch, "list[tuple[str, RecordBatch]]"]]:
        """Give what was judged or read of mails, and the records, as they come."""
        while not self._ended:
            batch = self._engine.poll(_POLL_SECONDS)
            records = self._engine.records(0)
            self._ended = batch.ended
            yield batch, records or []
        while (rest := self._engine.records(0)) is not None:
            yield Batch(0, ended=True), rest

    def problems(self) -> list[str]:
        """Say what is wrong with the files, each with its name and place."""
        counters = self._engine.counters()
        return [*counters.get("warnings", []), *filter(None, [counters.get("error")])]

    def close(self) -> None:
        """Stop reading and let the core's threads end."""
        self._engine.stop()
        for _ in self.news():
            pass
