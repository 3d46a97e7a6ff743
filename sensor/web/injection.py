"""SQL injections that the answers prove together, where none does alone.

A database's error for a broken statement shows that a parameter reaches the database as it was sent. Where the same
source then gets a page for a whole injection into the same parameter, the database has run it: a statement that it does
not understand would have brought the error again. An answer shorter than the error's is none: whoever turns requests
away says little.
"""

from collections import OrderedDict

from sensor.web.rows import WebRow

EVIDENCE = "answered with a page, where a broken statement brings the database's error"

_MOST_PARAMETERS = 10_000
_SUCCESS = range(200, 300)
_Key = tuple[str, str, str, str, str]


class Injections:
    """Remembers, by source, which parameters have brought an error of the database."""

    def __init__(self, most: int = _MOST_PARAMETERS) -> None:
        """Nothing is known; beyond `most` parameters the one not met for longest is forgotten."""
        self._most = most
        self._error_bytes: OrderedDict[_Key, int] = OrderedDict()

    def learn(self, row: WebRow) -> None:
        """Learn from a finding; what an answer says without proving it is an error of the database."""
        if row["category"] != "web.sqli" or row["succeeded"] or not row["evidence"]:
            return
        key = _key(row)
        self._error_bytes[key] = max(row["length"], self._error_bytes.get(key, 0))
        self._error_bytes.move_to_end(key)
        if len(self._error_bytes) > self._most:
            self._error_bytes.popitem(last=False)

    def proves(self, row: WebRow) -> bool:
        """Whether a finding that proves nothing alone has succeeded, by what was learned before it or since."""
        open_question = row["category"] == "web.sqli" and not row["succeeded"] and not row["evidence"]
        error_bytes = self._error_bytes.get(_key(row)) if open_question and row["status"] in _SUCCESS else None
        return error_bytes is not None and row["length"] > error_bytes


def _key(row: WebRow) -> _Key:
    return (row["src_ip"], row["dest_ip"], row["host"], row["path"], row["parameter"])
