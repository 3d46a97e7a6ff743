"""Alerts in EVE form, for the event log."""

import json
from typing import Any

from sensor.alerts.incident import Condition, EveAlert
from sensor.alerts.rows import BeaconRow, FindingRow, HitRow, JudgedRow
from sensor.alerts.rules import BY_NAME
from sensor.alerts.tally import entry_of
from sensor.alerts.text import has_ports, utc_stamp

GENERATOR_ID = 1
RULE_REVISION = 1


def event_type(alert: EveAlert) -> str:
    """Give the EVE type: conditions of the sensor and the mirror are anomalies, everything else alerts."""
    return "anomaly" if isinstance(alert.row, Condition) else "alert"


def encode(alert: EveAlert, sensor_name: str) -> str:
    """Give the alert as one JSON line without its end; all that is not ASCII is escaped."""
    if isinstance(alert.row, Condition):
        event = _condition_event(alert, alert.row)
    elif "flow_id" in alert.row:
        event = _hit_event(alert, alert.row)
    elif "notes" in alert.row:
        event = _judged_event(alert, alert.row)
    elif "remote" in alert.row:
        event = _beacon_event(alert, alert.row)
    else:
        event = _finding_event(alert, alert.row)
    return json.dumps({**event, "host": sensor_name}, separators=(",", ":"))


def _hit_event(alert: EveAlert, row: HitRow) -> dict[str, Any]:
    entry = entry_of(row["metadata"])
    watchlist = {"list": row["list"], "indicator": row["indicator"], "type": row["type"]}
    if row["observed"] is None:
        watchlist["matched"] = row["matched"]
    else:
        watchlist |= {"observed": row["observed"], "observed_in": row["observed_in"] or ""}
    words = [entry[column] for column in ("malware", "threat_type") if entry.get(column)]
    event: dict[str, Any] = {
        "timestamp": utc_stamp(alert.time_ns),
        "flow_id": row["flow_id"],
        "in_iface": row["in_iface"],
        "event_type": "alert",
        **_addresses(row),
        "community_id": row["community_id"],
    }
    if row["vlan"]:
        event["vlan"] = row["vlan"]
    if row["tunnel_depth"]:
        event["tunnel"] = {
            "src_ip": row["tunnel_src"],
            "dest_ip": row["tunnel_dest"],
            "proto": row["tunnel_proto"],
            "depth": row["tunnel_depth"],
        }
    if row["src_mac"]:
        event["ether"] = {"src_mac": row["src_mac"], "dest_mac": row["dest_mac"]}
    event["alert"] = _alert(
        alert, " ".join(words) or row["indicator"], {"watchlist": {**watchlist, "entry": entry}}, row
    )
    event["flow"] = {
        "pkts_toserver": row["packets_toserver"],
        "pkts_toclient": row["packets_toclient"],
        "bytes_toserver": row["bytes_toserver"],
        "bytes_toclient": row["bytes_toclient"],
        "start": utc_stamp(row["start_ns"]),
    }
    event["spanwatch"] = {"stage": row["stage"], "first_sender": row["first_sender"]}
    return event


def _addresses(row: HitRow) -> dict[str, Any]:
    if not has_ports(row["proto"]):
        return {"src_ip": row["src_ip"], "dest_ip": row["dest_ip"], "proto": row["proto"]}
    return {
        "src_ip": row["src_ip"],
        "src_port": row["src_port"],
        "dest_ip": row["dest_ip"],
        "dest_port": row["dest_port"],
        "proto": row["proto"],
    }


def _finding_event(alert: EveAlert, row: FindingRow) -> dict[str, Any]:
    event: dict[str, Any] = {
        "timestamp": utc_stamp(alert.time_ns),
        "in_iface": row["in_iface"],
        "event_type": "alert",
        "src_ip": row["host"],
        "proto": "TCP",
    }
    if row["examples"]:
        event["dest_ip"] = row["examples"][0]
    if row["vlan"]:
        event["vlan"] = row["vlan"]
    if row["mac"]:
        event["ether"] = {"src_mac": row["mac"]}
    event["alert"] = _alert(alert, BY_NAME[alert.rule].meaning, {}, row)
    columns = ("window_seconds", "count", "connections", "servers", "rejects", "examples")
    event["spanwatch"] = {column: row[column] for column in columns}  # type: ignore[literal-required]
    return event


def _judged_event(alert: EveAlert, row: JudgedRow) -> dict[str, Any]:
    flow = row["flow"]
    event: dict[str, Any] = {
        "timestamp": utc_stamp(alert.time_ns),
        "flow_id": flow["flow_id"],
        "in_iface": row["in_iface"],
        "event_type": "alert",
        "src_ip": flow["src_ip"],
        "src_port": flow["src_port"],
        "dest_ip": flow["dest_ip"],
        "dest_port": flow["dest_port"],
        "proto": flow["proto"],
        "app_proto": flow["app_proto"],
        "community_id": flow["community_id"],
    }
    if row["vlan"]:
        event["vlan"] = row["vlan"]
    context = dict(row["context"])
    listed = {"watchlist": context.pop("watchlist")} if "watchlist" in context else {}
    event["alert"] = _alert(alert, BY_NAME[alert.rule].meaning, listed, row)
    event["flow"] = {"start": utc_stamp(flow["start_ns"])}
    if "http" in context:
        event["http"] = context.pop("http")
    event["spanwatch"] = {"subject": row["subject"], "count": row["count"], **context}
    return event


def _beacon_event(alert: EveAlert, row: BeaconRow) -> dict[str, Any]:
    event: dict[str, Any] = {
        "timestamp": utc_stamp(alert.time_ns),
        "in_iface": row["in_iface"],
        "event_type": "alert",
        "src_ip": row["host"],
        "dest_ip": row["remote"],
        "dest_port": row["port"],
        "proto": row["proto"],
    }
    if row["vlan"]:
        event["vlan"] = row["vlan"]
    if row["mac"]:
        event["ether"] = {"src_mac": row["mac"]}
    event["alert"] = _alert(alert, BY_NAME[alert.rule].meaning, {}, row)
    columns = ("name", "calls", "interval_seconds", "jitter_ratio", "fit_ratio", "bytes_out", "bytes_in")
    figures = {column: row[column] for column in columns}  # type: ignore[literal-required]
    event["spanwatch"] = {**figures, "since": utc_stamp(row["since_ns"])}
    return event


def _condition_event(alert: EveAlert, condition: Condition) -> dict[str, Any]:
    return {
        "timestamp": utc_stamp(alert.time_ns),
        "event_type": "anomaly",
        "anomaly": {"type": BY_NAME[alert.rule].family, "event": alert.rule},
        "spanwatch": {
            "subject": condition.subject,
            "text": condition.text,
            "count": condition.count,
            "incident": alert.incident,
            "severity": int(alert.severity),
        },
    }


def _alert(
    alert: EveAlert, signature: str, context: dict[str, Any], row: HitRow | FindingRow | BeaconRow | JudgedRow
) -> dict[str, Any]:
    rule = BY_NAME[alert.rule]
    return {
        "action": "allowed",
        "gid": GENERATOR_ID,
        "signature_id": rule.number,
        "rev": RULE_REVISION,
        "signature": f"SPANWATCH {rule.name} {signature}",
        "category": rule.category,
        "severity": int(alert.severity),
        "metadata": {"rule": [rule.name], **_host_metadata(row)},
        "context": {**context, "incident": alert.incident},
    }


def _host_metadata(row: HitRow | FindingRow | BeaconRow | JudgedRow) -> dict[str, list[str]]:
    """Give who the host is, in lists as EVE's metadata has them; what is not known has no key."""
    machine = row.get("machine")
    if machine is None:
        return {}
    known = {"host_name": machine["name"], "host_mac": machine["mac"], "host_vendor": machine["vendor"]}
    return {key: [value] for key, value in known.items() if value}
