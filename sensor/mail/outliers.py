"""Senders that stand out, counted over all mail of a capture. Live, `sensor.mail.campaign` decides on the way."""

from collections.abc import Sequence

OUTLIER_MESSAGES = 20
"""A sender of fewer messages is no outlier."""

OUTLIER_FACTOR = 10
"""An outlier sends so many times as much as the next."""

_MOST_OUTLIERS = 5


def outlying(messages: Sequence[int]) -> int:
    """Give how many of the most frequent senders stand out: at most five that send ten times as much as the next.

    `messages` are those of each sender, the most frequent first.
    """
    for place in range(min(len(messages), _MOST_OUTLIERS), 0, -1):
        rest = messages[place] if place < len(messages) else 0
        if rest and messages[place - 1] >= max(OUTLIER_MESSAGES, OUTLIER_FACTOR * rest):
            return place
    return 0
