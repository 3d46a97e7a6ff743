"""What the native engine is told."""

import json
import socket

import pytest

from sensor.config import ConfigError, engine_settings, load


def test_live_settings_are_resolved_and_json() -> None:
    config = load(
        None,
        {
            "capture.interfaces": [
                "eth1",
                {"name": "eth2", "backend": "libpcap", "filter": "udp", "promiscuous": False},
            ],
            "capture.snaplen": 96,
            "detect.smtp.bulk_connections": 31,
        },
    )
    settings = json.loads(json.dumps(engine_settings(config, "live")))
    assert settings["interfaces"] == [
        {
            "name": "eth1",
            "backend": "afpacket",
            "filter": "",
            "snaplen": 96,
            "promiscuous": True,
            "ring_memory_bytes": 64 << 20,
        },
        {
            "name": "eth2",
            "backend": "libpcap",
            "filter": "udp",
            "snaplen": 96,
            "promiscuous": False,
            "ring_memory_bytes": 64 << 20,
        },
    ]
    assert settings["smtp"]["bulk_connections_10m"] == 31
    assert settings["smtp"]["bulk_connections_1h"] == 300
    assert settings["pcap_ring"]["max_size_bytes"] == 50 << 30
    assert settings["eve"]["path"] == "/var/log/spanwatch/eve.json"
    assert (settings["mode"], settings["files"], settings["filter"]) == ("live", [], "")
    assert settings["sensor_name"] == socket.gethostname()


def test_the_keys_are_those_of_the_engine() -> None:
    settings = engine_settings(load(None, {"sensor.name": "hq"}), "live")
    assert set(settings) == {
        "mode",
        "sensor_name",
        "workers",
        "interfaces",
        "files",
        "apps",
        "filter",
        "decapsulation",
        "networks",
        "pcap_ring",
        "flows",
        "hosts",
        "deduplicate",
        "mirror",
        "smtp",
        "web",
        "beacon",
        "eve",
    }
    assert settings["sensor_name"] == "hq"


def test_reading_takes_files_and_filter_and_no_interfaces() -> None:
    config = load(None, {"capture.interfaces": ["eth1"], "capture.filter": "tcp"})
    settings = engine_settings(config, "read", ["a.pcap", "-"])
    assert (settings["interfaces"], settings["files"], settings["filter"]) == ([], ["a.pcap", "-"], "tcp")


def test_reading_keeps_frames_only_where_the_configuration_names_the_ring() -> None:
    assert engine_settings(load(None), "read")["pcap_ring"] is None
    assert engine_settings(load(None, {"pcap_ring.directory": "/r"}), "read")["pcap_ring"]["directory"] == "/r"
    cut = engine_settings(load(None, {"pcap_ring.flow_cutoff": "64KiB"}), "live")["pcap_ring"]
    assert cut["flow_cutoff_bytes"] == 65_536
    assert engine_settings(load(None, {"pcap_ring.enabled": False}), "read")["pcap_ring"] is None
    assert engine_settings(load(None, {"pcap_ring.enabled": False}), "live")["pcap_ring"] is None


def test_how_many_share_a_file_is_the_cores_choice_unless_the_configuration_says() -> None:
    assert "workers" not in engine_settings(load(None), "read")
    assert engine_settings(load(None), "live")["workers"] == 1
    assert engine_settings(load(None, {"capture.workers": 1}), "read")["workers"] == 1


def test_no_event_log_is_null() -> None:
    assert engine_settings(load(None, {"eve.path": None}), "live")["eve"] is None


def test_what_a_beacon_may_call_is_told_apart_into_networks_and_domains() -> None:
    ignore = ["198.51.100.0/24", "2001:db8::/32", "Status.Example.com", "192.0.2.1"]
    beacon = engine_settings(load(None, {"detect.beacon.ignore": ignore}), "live")["beacon"]
    assert beacon["ignore_networks"] == ["198.51.100.0/24", "2001:db8::/32", "192.0.2.1/32"]
    assert beacon["ignore_domains"] == ["status.example.com"]
    assert "push.apple.com" in engine_settings(load(None), "live")["beacon"]["ignore_domains"]
    with pytest.raises(ConfigError, match="or a domain such as"):
        load(None, {"detect.beacon.ignore": ["300.1.1.1"]})
