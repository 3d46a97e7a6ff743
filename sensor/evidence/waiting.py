"""Orders that wait for their time."""

from sensor.evidence.order import Order

MOST_WAITING = 500
"""Orders that may wait; beyond that the least severe is given up, of those the latest."""


class Waiting:
    """A bounded set of orders; of those that are due the most severe comes first, of those the oldest."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._orders: list[Order] = []

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: Order) -> bool:
        """Take an order; tell whether all could be kept."""
        self._orders.append(order)
        if len(self._orders) <= self._most:
            return True
        self._orders.remove(max(self._orders, key=_rank))
        return False

    def take(self, until_ns: int) -> Order | None:
        """Give the next order whose packets are all older than this time, and forget it."""
        due = [order for order in self._orders if order.until_ns < until_ns]
        if not due:
            return None
        order = min(due, key=_rank)
        self._orders.remove(order)
        return order


def _rank(order: Order) -> tuple[int, int]:
    return order.severity, order.until_ns
