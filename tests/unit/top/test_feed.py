from __future__ import annotations

import queue
from pathlib import Path

from sensor.top.feed import Feed, News
from sensor.top.question import Question
from tests.unit.top.office import Office


def test_news_carry_the_answer_to_the_question_of_the_moment(tmp_path: Path) -> None:
    office = Office(tmp_path / "s")
    heard: queue.Queue[News] = queue.Queue()
    feed = Feed(office.path, heard.put, retry_seconds=0.02)
    with office.open():
        feed.start()
        first = heard.get(timeout=10)
        assert (first.sample is not None, first.question, first.answer) == (True, None, None)
        feed.question = Question("flows", (("filter", ""), ("order", "bytes"), ("limit", "2")))
        answered = next_of(heard, feed.question)
        assert len(answered.answer) == 2
        feed.question = Question("flows", (("filter", "!"),))
        refused = next_of(heard, feed.question)
        assert refused.sample is not None
        assert (refused.answer, "is no address" in refused.refusal) == (None, True)
    while "no daemon answers" not in heard.get(timeout=10).trouble:
        pass
    feed.question = None
    with office.open():
        while heard.get(timeout=10).sample is None:
            pass
        feed.stop()


def next_of(heard: queue.Queue[News], question: Question) -> News:
    while (news := heard.get(timeout=10)).question != question:
        pass
    return news


def test_a_feed_ends_while_nobody_answers(tmp_path: Path) -> None:
    heard: queue.Queue[News] = queue.Queue()
    feed = Feed(tmp_path / "none", heard.put, retry_seconds=3600)
    feed.start()
    assert "No such file" in heard.get(timeout=10).trouble
    feed.stop()
    assert not feed._thread.is_alive()
