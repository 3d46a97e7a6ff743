"""Real captures: packets of each flow as tshark counted them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.peers.read import FlowKey, flow_key, read

pytestmark = pytest.mark.peers

IN_SCOPE = {
    "vlan", "802.1ad", "qinq/stacked-vlan", "gre", "erspan", "vxlan", "ipip(4in4)", "6in4", "4in6", "6in6", "sll",
}  # fmt: skip
LINK_TYPES_OUT_OF_SCOPE = {"nflog", "netlink"}
NOT_COMPARED = {
    "tcpdump__bigtcp-ipv6-vxlan-ipv4.pcap": "tshark stops at the outer IPv6 header, whose length is 0",
    "tcpdump__wccp_redirect_gre.pcap": "WCCP's redirection (GRE protocol 0x883E) is no mirror's encapsulation",
}
# The oracle lists at most this many flows of a capture.
LISTED_FLOWS = 5000


def oracles() -> list[Path]:
    """The expectations of the corpus; none without a corpus, which the fixture then says."""
    corpus = os.environ.get("SPANWATCH_CORPUS")
    return sorted((Path(corpus) / "oracle").glob("*.oracle.json")) if corpus else []


def in_scope(oracle: dict[str, Any]) -> bool:
    return (
        oracle["file"] not in NOT_COMPARED
        and oracle["ip_fragments"] == 0
        and set(oracle["encapsulations"]) <= IN_SCOPE
        and oracle["link_type"] not in LINK_TYPES_OUT_OF_SCOPE
        and oracle["flows_bidirectional_total"] <= LISTED_FLOWS
    )


CHOSEN = [path for path in oracles() if in_scope(json.loads(path.read_text()))]


def expected_flows(oracle: dict[str, Any]) -> dict[FlowKey, int]:
    flows: dict[FlowKey, int] = {}
    for text, packets in oracle["bidirectional"].items():
        protocol, here, here_port, there, there_port = text.split("|")
        if protocol in ("tcp", "udp") and here_port and there_port:
            key = flow_key(protocol, [(here, int(here_port)), (there, int(there_port))])
            flows[key] = flows.get(key, 0) + packets
    return flows


def test_the_corpus_is_large_enough_to_say_something(corpus: Path) -> None:
    assert corpus.is_dir()
    assert len(CHOSEN) >= 100


@pytest.mark.parametrize("path", CHOSEN, ids=lambda path: path.name.removesuffix(".oracle.json"))
def test_flows_hold_the_packets_that_tshark_counted(path: Path, corpus: Path, spanwatch: Path, tmp_path: Path) -> None:
    oracle = json.loads(path.read_text())
    result = read(spanwatch, tmp_path / "out", [corpus / "pcap" / oracle["file"]])
    assert result.flow_packets() == expected_flows(oracle)
