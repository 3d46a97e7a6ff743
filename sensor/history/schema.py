"""What is kept: the kinds of records, their columns where the core does not give them, and their order in a file."""

VERSION = 1
"""Version of the columns, in each file's metadata; it rises when a column changes its name, type or meaning."""

VERSION_KEY = "spanwatch_schema"

CORE_KINDS = ("flow", "dns", "tls", "quic", "http", "ssh")
"""Kinds whose columns are those of `Engine.records`."""

MAIL, HOST, ALERT, ROLLUP = "mail", "host", "alert", "rollup"

KINDS = (*CORE_KINDS, MAIL, HOST, ALERT, ROLLUP)

HOST_COLUMNS = {
    "time_ns": "UBIGINT",
    "ip": "VARCHAR",
    "mac": "VARCHAR",
    "mac_from": "VARCHAR",
    "vlan": "USMALLINT[]",
    "name": "VARCHAR",
    "name_from": "VARCHAR",
    "vendor": "VARCHAR",
    "vendor_class": "VARCHAR",
    "users": "VARCHAR[]",
    "agents": "VARCHAR[]",
    "system": "VARCHAR",
    "first_seen_ns": "UBIGINT",
    "last_seen_ns": "UBIGINT",
}

ALERT_COLUMNS = {
    "time_ns": "UBIGINT",
    "event": "VARCHAR",
    "id": "VARCHAR",
    "rule": "VARCHAR",
    "severity": "VARCHAR",
    "host": "VARCHAR",
    "remote": "VARCHAR",
    "indicator": "VARCHAR",
    "list": "VARCHAR",
    "opened_ns": "UBIGINT",
    "last_seen_ns": "UBIGINT",
    "count": "UBIGINT",
    "packets_out": "UBIGINT",
    "packets_in": "UBIGINT",
    "bytes_out": "UBIGINT",
    "bytes_in": "UBIGINT",
    "text": "VARCHAR",
}

ORDER = {
    "flow": "dest_ip, src_ip, time_ns",
    "dns": "query, src_ip, time_ns",
    "tls": "sni, src_ip, time_ns",
    "quic": "sni, src_ip, time_ns",
    "http": "host, src_ip, time_ns",
    "ssh": "src_ip, dest_ip, time_ns",
    MAIL: "from_address, time_ns",
    HOST: "ip, time_ns",
    ALERT: "time_ns",
    ROLLUP: "dest_ip, src_ip, proto",
}
"""How the rows of a closed hour lie: what is searched for stands together, so that most of a file is skipped."""
