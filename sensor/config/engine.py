"""What the native engine needs of a configuration, as its JSON wants it."""

import socket
from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from sensor.config.models import Config, Interface, PcapRing

Mode = Literal["live", "read"]


def keeps_history(config: Config, mode: Mode) -> bool:
    """Whether records are kept: in `read` only where the configuration names the history."""
    return config.history.enabled and (mode == "live" or "history" in config.model_fields_set)


class InterfaceSettings(TypedDict):
    """How one interface is captured, everything resolved."""

    name: str
    backend: str
    filter: str
    snaplen: int
    promiscuous: bool
    ring_memory_bytes: int


def engine_settings(config: Config, mode: Mode, files: Sequence[str] = (), apps: Sequence[str] = ()) -> dict[str, Any]:
    """Give the engine's configuration as JSON-ready data.

    `files` are the capture files of `read`, `-` for standard input, `apps` the protocols whose frames are wanted. In
    `read` the ring is on only where the configuration names it (interfaces.md: reading writes nothing that was not
    asked for), and how many workers share a file is the core's choice unless it says.
    Raises ConfigError if a rule of web attacks cannot be used.
    """
    live = mode == "live"
    ring_on = config.pcap_ring.enabled and (live or "pcap_ring" in config.model_fields_set)
    named = "workers" in config.capture.model_fields_set
    return {
        "mode": mode,
        "sensor_name": config.sensor.name or socket.gethostname(),
        **({"workers": config.capture.workers} if live or named else {}),
        "interfaces": [_interface(config, entry) for entry in config.capture.interfaces] if live else [],
        "files": list(files),
        "apps": list(apps),
        "filter": "" if live else config.capture.filter,
        "decapsulation": {
            "vxlan_ports": list(config.decapsulation.vxlan_ports),
            "geneve_ports": list(config.decapsulation.geneve_ports),
            "gtpu_ports": list(config.decapsulation.gtpu_ports),
            "tzsp_ports": list(config.decapsulation.tzsp_ports),
        },
        "networks": {
            "internal": list(map(str, config.networks.internal)),
            "mail_servers": list(map(str, config.networks.mail_servers)),
        },
        "pcap_ring": _pcap_ring(config.pcap_ring) if ring_on else None,
        "flows": {
            "max": config.flows.max,
            "tcp_idle_seconds": config.flows.tcp_idle,
            "udp_idle_seconds": config.flows.udp_idle,
            "active_seconds": config.flows.active,
        },
        "hosts": {"max": config.hosts.max},
        "deduplicate": config.capture.deduplicate,
        "mirror": {
            "expected_vlans": list(config.detect.mirror.expected_vlans),
            "expected_subnets": list(map(str, config.detect.mirror.expected_subnets)),
            "port_speed_bits_per_second": config.detect.mirror.port_speed,
        },
        "smtp": _smtp(config),
        "web": _web(config),
        "beacon": _beacon(config),
        "eve": {"path": str(config.eve.path), "types": list(config.eve.types)} if config.eve.path else None,
    }


def _interface(config: Config, entry: Interface) -> InterfaceSettings:
    capture = config.capture
    return {
        "name": entry.name,
        "backend": capture.backend if entry.backend is None else entry.backend,
        "filter": capture.filter if entry.filter is None else entry.filter,
        "snaplen": capture.snaplen if entry.snaplen is None else entry.snaplen,
        "promiscuous": capture.promiscuous if entry.promiscuous is None else entry.promiscuous,
        "ring_memory_bytes": capture.ring_memory if entry.ring_memory is None else entry.ring_memory,
    }


def _pcap_ring(ring: PcapRing) -> dict[str, Any]:
    return {
        "directory": str(ring.directory),
        "segment_size_bytes": ring.segment_size,
        "segment_time_seconds": ring.segment_time,
        "max_size_bytes": ring.max_size,
        "max_segments": ring.max_segments,
        "max_age_seconds": ring.max_age,
        "min_free_bytes": ring.min_free,
        "flow_cutoff_bytes": ring.flow_cutoff,
    }


def _web(config: Config) -> dict[str, Any]:
    from sensor.web.rules import load_rules  # noqa: PLC0415  # it reads with what this package offers

    web = config.detect.web
    return {
        "servers": list(map(str, config.networks.web_servers or config.networks.internal)),
        "rules": [rule.settings() for rule in load_rules(web.rules)],
        "scanner_paths": web.scanner_paths,
        "scanner_ratio": web.scanner_ratio,
        "scanner_attacks": web.scanner_attacks,
    }


def _smtp(config: Config) -> dict[str, Any]:
    smtp = config.detect.smtp
    return {
        "fanout_servers": smtp.fanout_servers,
        "bulk_servers": smtp.bulk_servers,
        "bulk_connections_10m": smtp.bulk_connections,
        "bulk_connections_1h": smtp.bulk_connections_hour,
        "reject_ratio": smtp.reject_ratio,
        "reject_connections": smtp.reject_connections,
        "reject_seconds": smtp.reject_seconds,
        "reject_bytes": smtp.reject_bytes,
    }


def _beacon(config: Config) -> dict[str, Any]:
    beacon = config.detect.beacon
    return {
        "calls": beacon.calls,
        "span_seconds": beacon.span,
        "jitter_ratio": beacon.jitter,
        "fit_ratio": beacon.fit,
        "call_bytes": beacon.call_size,
        "popular_hosts": beacon.popular_hosts,
        "ignore_ports": list(beacon.ignore_ports),
        "ignore_networks": [str(entry) for entry in beacon.ignore if not isinstance(entry, str)],
        "ignore_domains": [entry for entry in beacon.ignore if isinstance(entry, str)],
    }
