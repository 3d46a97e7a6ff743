"""Real captures, whole: what `spanwatch read` finds in each is what tshark found.

Every difference is named in `differences.yaml` with its reason. One that is not there fails, and so does one that is
there and no longer differs.
"""

from __future__ import annotations

import csv
import ipaddress
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.peers.read import Result, read

pytestmark = pytest.mark.peers

DIFFERENCES: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("differences.yaml").read_text())

Facts = dict[str, Any]
"""What a capture holds, by aspect: the keys are those of `differences.yaml`."""

# The oracle lists at most this many flows and conversations of a capture.
LISTED = 3000

# What tshark calls a protocol that EVE has a name or a number for.
TSHARK_NAMES = {
    "IPv6-ICMP": "icmpv6", "UDPLite": "udp", "IPv6": "proto41", "46": "rsvp", "88": "eigrp", "89": "ospf", "103": "pim",
    "112": "vrrp", "113": "pgm", "115": "l2tp",
}  # fmt: skip
WITH_PORTS = ("tcp", "udp", "sctp")

# The oracle's lists of identifiers, and where an encapsulation has them: kinds and field.
IDENTIFIERS = {
    "vlan_ids": (("vlan",), "vlan"),
    "erspan_session_ids": (("erspan_ii", "erspan_iii"), "session"),
    "gre_keys": (("gre",), "key"),
    "vxlan_vnis": (("vxlan", "vxlan_gpe"), "vni"),
    "geneve_vnis": (("geneve",), "vni"),
    "mpls_labels": (("mpls",), "label"),
    "pppoe_sessions": (("pppoe",), "session"),
    "gtp_teids": (("gtpu",), "teid"),
}


def oracles() -> list[Path]:
    """The expectations of the corpus; none without a corpus, which the fixture then says."""
    corpus = os.environ.get("SPANWATCH_CORPUS")
    return sorted((Path(corpus) / "oracle").glob("*.oracle.json")) if corpus else []


def decapsulation(oracle: Mapping[str, Any]) -> dict[str, list[int]]:
    """The ports that tshark went by: its own, and those that it was told of."""
    ports = {"vxlan_ports": [4789], "geneve_ports": [6081], "gtpu_ports": [2152], "tzsp_ports": [37008]}
    for rule in oracle["decode_as"]:
        if rule.startswith("udp.port=="):
            port, name = rule.removeprefix("udp.port==").split(",")
            ports[f"{name}_ports"].append(int(port))
    return ports


def address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def pair(one: str, other: str) -> tuple[str, ...]:
    return tuple(sorted((address(one), address(other))))


def flow(name: str, ends: Iterable[tuple[str, int]]) -> tuple[Any, ...]:
    """A flow whoever sent first; only these protocols have ports that tshark names."""
    return name, *sorted((address(end), port if name in WITH_PORTS else 0) for end, port in ends)


def expected(oracle: Mapping[str, Any]) -> Facts:
    conversations: Counter[tuple[str, ...]] = Counter()
    for text, packets in oracle["innermost_conversations"].items():
        conversations[pair(*text.split("|"))] += packets
    flows: Counter[tuple[Any, ...]] = Counter()
    for text, packets in oracle["bidirectional"].items():
        name, here, here_port, there, there_port = text.split("|")
        flows[flow(name, [(here, int(here_port or 0)), (there, int(there_port or 0))])] += packets
    facts: Facts = {"packets": oracle["packets"], "conversations": conversations, "flows": flows}
    identifiers = {name: {int(text, 0) for text in oracle.get(name, {})} for name in IDENTIFIERS}
    return facts | identifiers | expected_names(oracle["app"])


def expected_names(app: Mapping[str, Any]) -> Facts:
    """What tshark found in conversations; requests over UDP (SSDP) are no HTTP of the sensor's."""
    lookups = ("dns_query_names", "mdns_query_names", "llmnr_query_names")
    requests = {text for text in app.get("http_requests", {}) if not text.startswith(("M-SEARCH ", "NOTIFY "))}
    return {
        "tls_sni": set(app.get("tls_sni", {})),
        "http_requests": requests,
        "http2_paths": set(app.get("http2_paths", {})),
        "dns_query_names": {name for lookup in lookups for name in app.get(lookup, {})},
    }


def found_names(eve: Iterable[Mapping[str, Any]]) -> Facts:
    """The same of our own events."""
    facts: dict[str, set[str]] = {name: set() for name in expected_names({})}
    for record in eve:
        kind = record["event_type"]
        if kind in ("tls", "quic") and "sni" in record[kind]:
            facts["tls_sni"].add(record[kind]["sni"])
        elif kind == "dns":
            facts["dns_query_names"].update(query["rrname"] for query in record["dns"]["queries"])
        elif kind == "http" and "url" in record["http"]:
            http = record["http"]
            port = f":{http['http_port']}" if "http_port" in http else ""
            if record["app_proto"] == "http2":
                facts["http2_paths"].add(http["url"])
            else:
                facts["http_requests"].add(f"{http['http_method']} {http.get('hostname', '')}{port} {http['url']}")
    return facts


def expected_ja4(corpus: Path) -> dict[str, set[str]]:
    """Published fingerprints by capture."""
    rows = csv.DictReader((corpus / "golden" / "JA4.tsv").read_text().splitlines(), delimiter="\t")
    published: dict[str, set[str]] = {}
    for row in rows:
        published.setdefault(row["file"], set()).add(row["ja4"])
    return published


def found(result: Result) -> Facts:
    conversations: Counter[tuple[str, ...]] = Counter()
    flows: Counter[tuple[Any, ...]] = Counter()
    identifiers: dict[str, set[int]] = {name: set() for name in IDENTIFIERS}
    for record in result.eve:
        if record["event_type"] != "flow":
            continue
        packets = record["flow"]["pkts_toserver"] + record["flow"]["pkts_toclient"]
        conversations[pair(record["src_ip"], record["dest_ip"])] += packets
        number = "proto" if record["proto"].isdigit() else ""
        name = TSHARK_NAMES.get(record["proto"], number + record["proto"].lower())
        ends = [(record[f"{end}_ip"], record.get(f"{end}_port", 0)) for end in ("src", "dest")]
        flows[flow(name, ends)] += packets
        for layer in record["spanwatch"].get("encapsulation", []):
            for aspect, (kinds, field) in IDENTIFIERS.items():
                if layer["kind"] in kinds and field in layer:
                    identifiers[aspect].add(layer[field])
    stats = [record for record in result.eve if record["event_type"] == "stats"]
    return (
        {
            "packets": stats[-1]["stats"]["decoder"]["pkts"],
            "conversations": conversations,
            "flows": flows,
        }
        | identifiers
        | found_names(result.eve)
    )


def differing(oracle: Mapping[str, Any], ours: Facts, theirs: Facts) -> set[str]:
    """The aspects that differ, of those that the oracle is an authority for."""
    aspects = {aspect for aspect, value in theirs.items() if ours[aspect] != value}
    if oracle["ip_fragments"]:
        aspects.discard("flows")  # tshark names fragments behind the first by their protocol's number
    if oracle["packets_without_ip"]:
        # A flow record tells nothing of frames without IP, whose identifiers the oracle lists too.
        aspects -= {name for name in IDENTIFIERS if ours[name] <= theirs[name]}
    if max(oracle["flows_bidirectional_total"], len(oracle["innermost_conversations"])) >= LISTED:
        aspects -= {"flows", "conversations"}
    return aspects


def shown(ours: Facts, theirs: Facts, aspect: str) -> str:
    """Both sides of a difference, for whoever has to judge it."""
    mine, other = ours[aspect], theirs[aspect]
    if isinstance(mine, Counter):
        return f"{aspect}: ours {dict(mine.items() - other.items())}, theirs {dict(other.items() - mine.items())}"
    if isinstance(mine, set):
        mine, other = mine - other, other - mine
    return f"{aspect}: ours {mine}, theirs {other}"


def test_the_corpus_is_large_enough_to_say_something(corpus: Path) -> None:
    assert corpus.is_dir()
    assert len(oracles()) >= 100


@pytest.mark.parametrize("path", oracles(), ids=lambda path: path.name.removesuffix(".oracle.json"))
def test_a_capture_holds_what_tshark_found(path: Path, corpus: Path, spanwatch: Path, tmp_path: Path) -> None:
    oracle = json.loads(path.read_text())
    captures = [corpus / "pcap" / oracle["file"]]
    ours = found(read(spanwatch, tmp_path / "out", captures, decapsulation=decapsulation(oracle)))
    theirs = expected(oracle)
    aspects = differing(oracle, ours, theirs)
    reviewed = set(DIFFERENCES.get(oracle["file"], {}))
    assert aspects == reviewed, "\n".join(shown(ours, theirs, aspect) for aspect in sorted(aspects ^ reviewed))


def without_departures(ja4: str) -> str:
    """Without the letter for a name and the two for ALPN, in which nDPI departs from the specification."""
    return ja4[:3] + ja4[4:8] + ja4[10:]


def test_fingerprints_are_those_that_others_published(corpus: Path, spanwatch: Path, tmp_path: Path) -> None:
    published = {file: ja4 for file, ja4 in expected_ja4(corpus).items() if (corpus / "pcap" / file).exists()}
    assert len(published) > 10
    for file, theirs in published.items():
        eve = read(spanwatch, tmp_path / file, [corpus / "pcap" / file]).eve
        ours = {record[kind]["ja4"] for record in eve for kind in ("tls", "quic") if "ja4" in record.get(kind, {})}
        assert {*map(without_departures, ours)} == {*map(without_departures, theirs)}, file
