"""Cuts one capture: a process of its own, so that nothing that happens here can slow or end the capture.

Reads a task as JSON from standard input and writes what became of it as JSON to standard output. Ends with 1 and the
reason on standard error if it fails.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any, TypedDict

from sensor import _native
from sensor.give_way import give_way
from sensor.whole_file import replace_file

# Shares of the time before the trigger that are tried in turn where all of it is too much.
_SHARES = (1, 1 / 4, 1 / 16, 1 / 64, 1 / 256, 0)


class Task(TypedDict):
    """What to do. `query` is for the core, without times and limits; `manifest` is what is known of the incident."""

    query: dict[str, Any]
    since_ns: int
    trigger_ns: int
    until_ns: int
    limit_bytes: int
    capture: str
    manifest_file: str
    manifest: dict[str, Any]


class Parent:
    """Whoever ordered the cut; without him nobody wants it."""

    def __init__(self) -> None:
        self._process = os.getppid()

    def check(self) -> None:
        """End if he is gone."""
        if os.getppid() != self._process:
            raise SystemExit(1)


def main() -> int:
    """Do one task."""
    parent = Parent()
    give_way()
    task: Task = json.load(sys.stdin)
    try:
        print(json.dumps(_cut(task, parent)))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _cut(task: Task, parent: Parent) -> dict[str, Any]:
    since_ns = task["since_ns"]
    found = _search(task, since_ns, parent)
    if found["limited"] and since_ns < task["trigger_ns"]:
        # The search keeps the oldest; those around the trigger tell more.
        Path(task["capture"]).unlink()
        since_ns = _nearer(task, parent)
        found = _search(task, since_ns, parent)
    if found["packets"]:
        _write_manifest(task, since_ns, found, parent)
    return found


def _nearer(task: Task, parent: Parent) -> int:
    """Give the earliest time from which the packets before the trigger fill no more than half of the file."""
    trigger_ns = task["trigger_ns"]
    since_ns = trigger_ns
    for share in _SHARES:
        since_ns = trigger_ns - round((trigger_ns - task["since_ns"]) * share)
        search = _native.PacketSearch(
            json.dumps(
                {
                    **task["query"],
                    "since_ns": since_ns,
                    "until_ns": trigger_ns,
                    "limit_bytes": task["limit_bytes"] // 2,
                }
            )
        )
        if not _run(search, parent)["limited"]:
            break
    return since_ns


def _search(task: Task, since_ns: int, parent: Parent) -> dict[str, Any]:
    times = {"since_ns": since_ns, "until_ns": task["until_ns"], "limit_bytes": task["limit_bytes"]}
    search = _native.PacketSearch(json.dumps({**task["query"], **times}))
    search.write_to(task["capture"], comment=f"spanwatch evidence of incident {task['manifest']['incident']}")
    return _run(search, parent)


def _run(search: _native.PacketSearch, parent: Parent) -> dict[str, Any]:
    while search.step():
        parent.check()
    parent.check()
    found: dict[str, Any] = json.loads(search.finish())
    return found


def _write_manifest(task: Task, since_ns: int, found: dict[str, Any], parent: Parent) -> None:
    with Path(task["capture"]).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = os.fstat(stream.fileno()).st_size
    parent.check()
    manifest = {
        **task["manifest"],
        "sha256": digest,
        "bytes": size,
        "packets": found["packets"],
        "first_packet_ns": found["first_ns"],
        "last_packet_ns": found["last_ns"],
        "since_ns": since_ns,
        "until_ns": task["until_ns"],
        "complete": not found["limited"] and since_ns == task["since_ns"],
        "notes": found["notes"],
    }
    replace_file(Path(task["manifest_file"]), (json.dumps(manifest, indent=1) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
