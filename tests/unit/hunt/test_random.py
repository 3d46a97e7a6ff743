"""A thousand random questions, each answered by the search and by a walk over all rows."""

from __future__ import annotations

import random
import shutil
from collections import defaultdict
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from sensor.hunt.wanted import WantedSet
from sensor.hunt.window import Window
from tests.unit.hunt.history import HistoryTree
from tests.unit.hunt.hunting import ENDS, hunt_for

START_NS = 1_795_330_800 * 1_000_000_000
HUNTS, QUESTIONS = 25, 40
Row = dict[str, Any]


@pytest.fixture(scope="module", params=["as it came", "closed"])
def tree(
    case_tree: HistoryTree, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> HistoryTree:
    """The phishing case, with its hours closed or not."""
    root = tmp_path_factory.mktemp("random") / "history"
    shutil.copytree(case_tree.root, root)
    tree = HistoryTree(root)
    if request.param == "closed":
        tree.close_hours()
    return tree


def questions(dice: random.Random, flows: list[Row], names: list[str]) -> list[str]:
    """Indicators near what is there: some are met, some not quite."""
    asked = set()
    for _ in range(QUESTIONS):
        flow = dice.choice(flows)
        end = dice.choice(("src", "dest"))
        address, port = ip_address(flow[f"{end}_ip"]), flow[f"{end}_port"] or 1
        bits = dice.choice((8, 16, 24, 28, 31))
        name = dice.choice(names)
        labels = name.split(".")
        asked.add(
            dice.choice(
                (
                    str(address),
                    str(ip_address(int(address) ^ dice.getrandbits(2))),
                    f"{address}:{port}",
                    f"{address}:{port % 65_535 + 1}",
                    str(ip_network((int(address), bits), strict=False)),
                    name,
                    "*." + ".".join(labels[-2:]),
                    "*." + name,
                    "x" + name,
                )
            )
        )
    return sorted(asked)


def walked(tree: HistoryTree, entry: Any, window: Window) -> dict[str, tuple[int, int, int, int]]:
    """Give for each host contacts, attempts and bytes out and in, by a walk over all rows."""
    flows: dict[str, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for host, row in matches(tree, entry):
        if row["end_ns"] >= window.since_ns and row["start_ns"] <= window.until_ns:
            flows[host][row["flow_id"]].append(row)
    return {host: summed(host, found) for host, found in flows.items()}


def matches(tree: HistoryTree, entry: Any) -> Iterator[tuple[str, Row]]:
    for row in tree.cached_flows:  # type: ignore[attr-defined]
        for end, other in (("dest", "src"), ("src", "dest")):
            if entry.network is None:
                met = end == "dest" and named(row["name"], entry)
            else:
                met = ip_address(row[f"{end}_ip"]) in ip_network(entry.network)
                met = met and entry.port in {None, row[f"{end}_port"]}
            if met:
                both = ENDS.is_internal(row["src_ip"]) and ENDS.is_internal(row["dest_ip"])
                inside = next((side for side in ("src", "dest") if ENDS.is_internal(row[f"{side}_ip"])), "src")
                yield row[f"{other if both else inside}_ip"], row
                break
    for row in tree.cached_heard if entry.network is None else ():  # type: ignore[attr-defined]
        if any(named(name, entry) for name in row["names"]):
            yield row["src_ip"] if ENDS.is_internal(row["src_ip"]) else row["dest_ip"], row


def named(name: str | None, entry: Any) -> bool:
    plain = (name or "").lower().rstrip(".").split(":")[0]
    if entry.kind == "suffix":
        return plain == str(entry.indicator[2:]) or plain.endswith(str(entry.indicator[1:]))
    return plain == str(entry.indicator)


def summed(host: str, flows: dict[int, list[Row]]) -> tuple[int, int, int, int]:
    contacts = sum(any(row["answered"] for row in rows) for rows in flows.values())
    out = inn = 0
    for row in (row for rows in flows.values() for row in rows):
        ways = (row["bytes_toserver"], row["bytes_toclient"])
        out += ways[0] if row["src_ip"] == host else ways[1]
        inn += ways[1] if row["src_ip"] == host else ways[0]
    return contacts, len(flows) - contacts, out, inn


def cache(tree: HistoryTree) -> None:
    flows = tree.rows("flow")
    for row in flows:
        refused = (
            row["tcp_flags_toclient"] & 6 == 4 and row["total_bytes_toclient"] <= 60 * row["total_packets_toclient"]
        )
        row["answered"] = row["state"] != "new" and not (row["proto"] == "TCP" and refused)
    heard = []
    for kind, column in (("dns", "query"), ("tls", "sni"), ("quic", "sni"), ("http", "host")):
        for row in tree.rows(kind):
            names = [row[column], *(row.get("answer_name") or ())]
            answered = {"tls": row.get("cipher"), "http": row.get("status")}.get(kind) is not None
            traffic = {"bytes_toserver": 0, "bytes_toclient": 0, "answered": answered}
            heard.append({**row, **traffic, "names": names, "start_ns": row["time_ns"], "end_ns": row["time_ns"]})
    tree.cached_flows, tree.cached_heard = flows, heard  # type: ignore[attr-defined]


def test_the_search_finds_what_a_walk_over_all_rows_finds(tree: HistoryTree) -> None:
    dice = random.Random(6)
    cache(tree)
    flows = tree.cached_flows  # type: ignore[attr-defined]
    names = sorted({row["name"] for row in flows if row["name"]} | {row["query"] for row in tree.rows("dns")})
    asked = met = 0
    for _ in range(HUNTS):
        wanted = WantedSet()
        wanted.add_words(questions(dice, flows, names))
        first = START_NS + dice.randrange(3600) * 10**9
        window = dice.choice((Window(), Window(first), Window(0, first)))
        found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for row in hunt_for(tree.root, wanted, window=window):
            counts = (row["contacts"], row["attempts"], row["bytes_out"], row["bytes_in"])
            sums = found[row["indicator"], row["ip"]]
            sums[:] = [old + new for old, new in zip(sums, counts, strict=True)]
        for entry in wanted.entries():
            expected = walked(tree, entry, window)
            got = {ip: tuple(sums) for (indicator, ip), sums in found.items() if indicator == entry.indicator}
            assert got == expected, (entry, window)
            asked, met = asked + 1, met + bool(expected)
    assert asked > 500
    assert asked / 4 < met < asked
