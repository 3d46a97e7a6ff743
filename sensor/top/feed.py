"""A thread that listens to the daemon, and finds it again when it was away."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor.api.client import NoAnswerError, RefusedError, Stream, ask
from sensor.top.question import Question
from sensor.top.views import Sample

_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class News:
    """A sample with the answer to the question of the moment, or `trouble`: why there is none.

    `refusal` says why the question was not answered.
    """

    sample: Sample | None = None
    question: Question | None = None
    answer: Any = None
    refusal: str = ""
    trouble: str = ""


class Feed:
    """Delivers news, once a second; `question` may be changed at any time. `deliver` is called in its thread."""

    def __init__(self, path: Path, deliver: Callable[[News], object], retry_seconds: float = _RETRY_SECONDS) -> None:
        self.question: Question | None = None
        self._path = path
        self._deliver = deliver
        self._retry_seconds = retry_seconds
        self._stopped = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End, also where it waits for the daemon."""
        self._stopped.set()
        if self._stream is not None:
            self._stream.interrupt()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            trouble = self._listen()
            if not self._stopped.is_set():
                self._deliver(News(trouble=trouble))
                self._stopped.wait(self._retry_seconds)

    def _listen(self) -> str:
        """Listen until the stream ends; give the reason."""
        try:
            with Stream(self._path) as stream:
                self._stream = stream
                for event in stream:
                    if self._stopped.is_set():
                        break
                    if event.kind == "sample":
                        self._deliver(self._with_answer(event.data))
        except NoAnswerError as error:
            return f"no daemon answers at {self._path}: {error}"
        except RefusedError as error:
            return str(error)
        finally:
            self._stream = None
        return "the daemon has ended the stream"

    def _with_answer(self, sample: Sample) -> News:
        question = self.question
        if question is None:
            return News(sample)
        try:
            return News(sample, question, ask(self._path, question.path, **dict(question.parameters)))
        except RefusedError as error:
            return News(sample, question, refusal=str(error))
