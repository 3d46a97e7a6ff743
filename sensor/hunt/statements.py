# ruff: noqa: S608  # what is put together here are constants, and times as numbers
"""The questions of a hunt in SQL. Views are named as the kinds of records, tables as what was found so far.

`wanted` is what is looked for. `seen` are all addresses, where that matters, and `inside` the listed networks that
addresses lie in. `address`, `name`, `url` and `text` are the values in records that it comes to, each with the number
of what it belongs to; `heard` are flows whose conversation showed one, and `met` is what each flow adds to the answer.
"""

from typing import NamedTuple

from sensor.hunt.window import ALL_TIME_NS

TABLES = """
CREATE TEMP TABLE wanted (
    id UINTEGER, kind VARCHAR, indicator VARCHAR, network VARCHAR, port USMALLINT, proto VARCHAR, direction VARCHAR,
    allow BOOLEAN
);
CREATE TEMP TABLE seen (address VARCHAR);
CREATE TEMP TABLE inside (address VARCHAR, network VARCHAR);
CREATE TEMP TABLE address (address VARCHAR, id UINTEGER, port USMALLINT, proto VARCHAR, direction VARCHAR);
CREATE TEMP TABLE summed (address VARCHAR, filename VARCHAR);
CREATE TEMP TABLE met_address (address VARCHAR, id UINTEGER, port USMALLINT, proto VARCHAR, direction VARCHAR);
CREATE TEMP TABLE shown (name VARCHAR);
CREATE TEMP TABLE name (name VARCHAR, id UINTEGER);
CREATE TEMP TABLE url (host VARCHAR, url VARCHAR, port USMALLINT, id UINTEGER);
CREATE TEMP TABLE text (text VARCHAR, id UINTEGER);
CREATE TEMP TABLE told (ip VARCHAR);
CREATE TEMP TABLE heard (flow_id UBIGINT, id UINTEGER);
CREATE TEMP TABLE met (
    id UINTEGER, side VARCHAR, seen_in VARCHAR, flow_id UBIGINT, community_id VARCHAR, src_ip VARCHAR,
    src_port USMALLINT, dest_ip VARCHAR, dest_port USMALLINT, proto VARCHAR, src_internal BOOLEAN,
    dest_internal BOOLEAN, src_mac VARCHAR, dest_mac VARCHAR, vlan USMALLINT[], start_ns UBIGINT, end_ns UBIGINT,
    to_dest UBIGINT, to_src UBIGINT, live_to_dest UBIGINT, live_to_src UBIGINT, answered BOOLEAN, flows UBIGINT
);
"""

LOAD_WANTED = """
INSERT INTO wanted SELECT * FROM read_csv(
    {file}, delim = '\t', quote = '', escape = '', nullstr = '', header = false, auto_detect = false, columns = {{
    'id': 'UINTEGER', 'kind': 'VARCHAR', 'indicator': 'VARCHAR', 'network': 'VARCHAR', 'port': 'USMALLINT',
    'proto': 'VARCHAR', 'direction': 'VARCHAR', 'allow': 'BOOLEAN'}})
"""
KINDS = "SELECT DISTINCT kind FROM wanted"
MET = "SELECT * FROM wanted WHERE id IN (SELECT id FROM met)"

_LIVE_TYPES = {
    "time_ns": "UBIGINT",
    "flow_id": "UBIGINT",
    "community_id": "VARCHAR",
    "src_ip": "VARCHAR",
    "src_port": "USMALLINT",
    "dest_ip": "VARCHAR",
    "dest_port": "USMALLINT",
    "proto": "VARCHAR",
    "src_mac": "VARCHAR",
    "dest_mac": "VARCHAR",
    "vlan": "USMALLINT[]",
    "start_ns": "UBIGINT",
    "end_ns": "UBIGINT",
    "packets_toserver": "UBIGINT",
    "packets_toclient": "UBIGINT",
    "bytes_toserver": "UBIGINT",
    "bytes_toclient": "UBIGINT",
    "total_packets_toserver": "UBIGINT",
    "total_packets_toclient": "UBIGINT",
    "total_bytes_toclient": "UBIGINT",
    "tcp_flags_toclient": "UTINYINT",
    "state": "VARCHAR",
    "reason": "VARCHAR",
    "src_internal": "BOOLEAN",
    "dest_internal": "BOOLEAN",
    "name": "VARCHAR",
}
"""The columns of flow records that a hunt reads, which open flows have as well."""

LIVE = f"CREATE TEMP TABLE live ({', '.join(f'{name} {kind}' for name, kind in _LIVE_TYPES.items())})"
_LIVE_ROW = ", ".join(f"{name} {kind}" for name, kind in _LIVE_TYPES.items())
LOAD_LIVE = f"INSERT INTO live BY NAME SELECT unnest($rows::STRUCT({_LIVE_ROW})[], recursive := true)"

TEXTS = """
INSERT INTO text SELECT indicator, id FROM wanted w
WHERE kind IN ('ja4', 'mail', 'hash') AND NOT allow
AND NOT EXISTS (SELECT 1 FROM wanted a WHERE a.allow AND a.kind = w.kind AND a.indicator = w.indicator)
"""

NETWORKS = "SELECT DISTINCT network FROM wanted WHERE network LIKE '%/%' AND {rows}"
LISTED_ADDRESSES = "SELECT DISTINCT network FROM wanted WHERE NOT allow AND network NOT LIKE '%/%' AND {rows}"

# What is allowed at an address, at one port or at all, is not looked for there.
ADDRESSES = """
INSERT INTO address
WITH listed AS (
    SELECT network AS address, id, port, proto, direction, allow FROM wanted WHERE network NOT LIKE '%/%'
    UNION ALL
    SELECT inside.address, id, port, proto, direction, allow FROM (SELECT DISTINCT * FROM inside) inside
    JOIN wanted USING (network)
)
SELECT address, id, port, proto, direction FROM listed
ANTI JOIN (SELECT DISTINCT address, port FROM listed WHERE allow) a
ON listed.address = a.address AND (a.port IS NULL OR a.port = listed.port)
WHERE NOT allow
"""

# A name is met by itself and by each suffix that is listed as one. Splitting it costs less than comparing with all, and
# only the different names are split: `name` then has them as they stand in records.
MATCH_NAMES = """
INSERT INTO name
WITH pattern AS (
    SELECT id, kind = 'suffix' AS is_suffix, allow,
           CASE WHEN kind = 'suffix' THEN substr(indicator, 3) ELSE indicator END AS pattern
    FROM wanted WHERE kind IN ('domain', 'suffix')
), labelled AS (
    SELECT name, string_split(regexp_replace(lower(name), '\\.?(:[0-9]+)?$', ''), '.') AS labels
    FROM (SELECT DISTINCT name FROM shown) WHERE name IS NOT NULL AND name NOT IN (SELECT name FROM name)
), part AS (
    SELECT name, labels, unnest(generate_series(1, len(labels))) AS place FROM labelled
), found AS (
    SELECT part.name, pattern.id, pattern.allow FROM part JOIN pattern
    ON array_to_string(part.labels[part.place:], '.') = pattern.pattern AND (part.place = 1 OR pattern.is_suffix)
)
SELECT DISTINCT name, id FROM found
WHERE NOT allow AND name NOT IN (SELECT name FROM found WHERE allow);
TRUNCATE shown
"""

NAMES_OF = {
    "dns": "SELECT query FROM dns UNION SELECT unnest(answer_name) FROM dns",
    "tls": "SELECT DISTINCT sni FROM tls",
    "quic": "SELECT DISTINCT sni FROM quic",
    "http": "SELECT DISTINCT host FROM http",
    "flow": "SELECT DISTINCT name FROM flow",
}
"""The names that records of a kind show, in any case, with or without a dot or a port at the end."""


class Heard(NamedTuple):
    """How records of a kind meet what is wanted: `table` has the values, `match` gives records as `r` with an `id`."""

    kind: str
    table: str
    match: str
    answered: str


_DNS = """
SELECT n.id, r.* FROM dns r JOIN name n ON n.name = r.query
UNION ALL
SELECT n.id, r.* EXCLUDE (alias) FROM (SELECT dns.*, unnest(answer_name) AS alias FROM dns) r
JOIN name n ON n.name = r.alias
"""
_MAIL_TEXTS = """
SELECT t.id, r.* EXCLUDE (text) FROM (
    SELECT mail.*, unnest(list_distinct(list_transform(
        [mail_from, from_address, sender, reply_to, body_md5] || list_transform(rcpt_to, lambda each: each.address)
        || "to" || cc || list_transform(attachments, lambda each: each.sha256), lambda each: lower(each)))) AS text
    FROM mail
) r JOIN text t ON t.text = r.text
"""
_MAIL_URLS = """
SELECT u.id, r.* EXCLUDE (link) FROM (SELECT mail.*, unnest(urls).url AS link FROM mail) r
JOIN url u ON u.url = r.link AND u.host IS NULL
"""
_GREETED, _REQUESTED, _SENT = "cipher IS NOT NULL", "status IS NOT NULL", "status = 'delivered'"

HEARD = (
    Heard("dns", "name", _DNS, "false"),
    Heard("tls", "name", "SELECT n.id, r.* FROM tls r JOIN name n ON n.name = r.sni", _GREETED),
    Heard("quic", "name", "SELECT n.id, r.* FROM quic r JOIN name n ON n.name = r.sni", "false"),
    Heard("http", "name", "SELECT n.id, r.* FROM http r JOIN name n ON n.name = r.host", _REQUESTED),
    Heard("tls", "text", "SELECT t.id, r.* FROM tls r JOIN text t ON t.text = r.ja4", _GREETED),
    Heard("quic", "text", "SELECT t.id, r.* FROM quic r JOIN text t ON t.text = r.ja4", "false"),
    Heard(
        "http",
        "url",
        "SELECT u.id, r.* FROM http r JOIN url u ON u.host = r.host AND u.url = r.url AND u.port = r.dest_port",
        _REQUESTED,
    ),
    Heard("mail", "text", _MAIL_TEXTS, _SENT),
    Heard("mail", "url", _MAIL_URLS, _SENT),
)


def holding(match: str) -> str:
    """Give the question which files hold what a statement finds: it reads few columns, and most files hold nothing."""
    return f"SELECT DISTINCT filename FROM ({match})"


def heard_in(how: Heard, since_ns: int, until_ns: int) -> str:
    """Give the statement that finds records of conversations."""
    return f"SELECT * FROM ({how.match}) WHERE time_ns BETWEEN {since_ns} AND {until_ns}"


def heard(how: Heard, match: str) -> str:
    """Give the statement that puts down the records that `match` finds."""
    proto = "'TCP'" if how.kind == "mail" else "proto"
    return f"""
    INSERT INTO met
    SELECT DISTINCT id, 'dest', '{how.kind}', flow_id, community_id, src_ip, src_port, dest_ip, dest_port, {proto},
           NULL, NULL, src_mac, dest_mac, vlan, time_ns, time_ns, 0, 0, NULL, NULL, {how.answered}, 1
    FROM ({match})
    """


URL_CANDIDATES = """
SELECT DISTINCT host, url, dest_port FROM http WHERE host IN (
    SELECT host FROM (SELECT DISTINCT host FROM http)
    WHERE regexp_replace(lower(host), '\\.?(:[0-9]+)?$', '') IN (
        SELECT regexp_extract(indicator, '^[a-z]+://([^/:?]+|\\[[^\\]]+\\])', 1) FROM wanted WHERE kind = 'url'
    )
)
"""
URLS = "SELECT indicator FROM wanted WHERE kind = 'url' AND NOT allow AND {rows}"
ALLOWED_URLS = "SELECT indicator FROM wanted WHERE kind = 'url' AND allow"
URL_NUMBERS = (
    "SELECT indicator, min(id) FROM wanted WHERE kind = 'url' AND NOT allow AND indicator IN $urls GROUP BY ALL"
)
LINK_CANDIDATES = "SELECT DISTINCT url FROM (SELECT unnest(urls).url AS url FROM mail)"

HEARD_FLOWS = """
INSERT INTO heard SELECT DISTINCT flow_id, id FROM met WHERE seen_in NOT IN ('dns', 'flow', 'live', 'rollup')
"""

_PORT_AND_PROTOCOL = """
(a.port IS NULL OR (a.port = f.{end}_port AND f.proto IN ('TCP', 'UDP', 'SCTP', 'DCCP', 'UDPLite')))
AND (a.proto IS NULL OR a.proto = f.proto)
"""

# Each end by a join of its own: what is looked for then tells which parts of a file need not be read.
_ADDRESS_MATCH = f"""
SELECT a.id, 'dest' AS side, {{columns}} FROM {{flow}} f JOIN {{table}} a ON f.dest_ip = a.address
WHERE {_PORT_AND_PROTOCOL.format(end="dest")}
AND (a.direction = 'any' OR a.direction = 'out' AND (f.src_internal OR NOT f.dest_internal)) AND {{in_window}}
UNION ALL
SELECT a.id, 'src' AS side, {{columns}} FROM {{flow}} f JOIN {{table}} a ON f.src_ip = a.address
WHERE {_PORT_AND_PROTOCOL.format(end="src")}
AND (a.direction = 'any' OR a.direction = 'in' AND (f.dest_internal OR NOT f.src_internal)) AND {{in_window}}
"""
_FLOW_MATCHES = {
    "address": _ADDRESS_MATCH,
    "met_address": _ADDRESS_MATCH,
    "name": """
        SELECT n.id, 'dest' AS side, {columns} FROM {flow} f JOIN name n ON n.name = f.name WHERE {in_window}
    """,
    "heard": """
        SELECT h.id, 'dest' AS side, {columns} FROM {flow} f JOIN heard h ON h.flow_id = f.flow_id WHERE {in_window}
    """,
    "port": """
        SELECT w.id, 'dest' AS side, {columns} FROM {flow} f JOIN wanted w ON w.kind = 'port' AND w.port = f.dest_port
        WHERE f.src_internal AND NOT f.dest_internal AND {in_window}
    """,
}

# A reset that answers nothing but a request to connect is a refusal.
_ANSWERED = """
state <> 'new' AND NOT (proto = 'TCP' AND (tcp_flags_toclient & 4) <> 0 AND (tcp_flags_toclient & 2) = 0
                        AND total_bytes_toclient <= 60 * total_packets_toclient)
"""

# A record tells of what came since the last one, at least five minutes earlier: only the first begins with the flow.
_IN_WINDOW = """
f.end_ns >= {since} AND f.start_ns <= {until} AND {until} >= CASE
    WHEN f.total_packets_toserver = f.packets_toserver AND f.total_packets_toclient = f.packets_toclient THEN f.start_ns
    ELSE greatest(f.start_ns, f.end_ns - least(f.end_ns, 300000000000)) END
"""


def flows_in(source: str, tables: list[str], since_ns: int, until_ns: int) -> str:
    """Give the statement that finds flows in `flow`, or in `live`, by the values in these tables."""
    # A condition that always holds would still read its columns.
    in_window = _IN_WINDOW.format(since=since_ns, until=until_ns) if (since_ns, until_ns) != ALL_TIME_NS else "true"
    columns = ", ".join(f"f.{name}" for name in (*_LIVE_TYPES, *(("filename",) if source == "flow" else ())))
    parts = {"flow": source, "columns": columns, "in_window": in_window}
    return " UNION ALL ".join(_FLOW_MATCHES[table].format(table=table, **parts) for table in tables)


def flows(source: str, match: str) -> str:
    """Give the statement that puts down the flows that `match` finds in `flow`, or in `live`."""
    counts = "0, 0, bytes_toserver, bytes_toclient"
    if source != "live":
        counts = "bytes_toserver, bytes_toclient, NULL, NULL"
    return f"""
    INSERT INTO met
    SELECT id, side, '{source}', flow_id, community_id, src_ip, src_port, dest_ip, dest_port, proto, src_internal,
           dest_internal, src_mac, dest_mac, vlan, start_ns, end_ns, {counts}, {_ANSWERED}, 1
    FROM ({match})
    QUALIFY row_number() OVER (PARTITION BY id, flow_id, time_ns, reason ORDER BY side) = 1
    """


HEARD_HOURS = """
SELECT min(start_ns) // 3600000000000, max(end_ns) // 3600000000000 FROM met
WHERE seen_in NOT IN ('dns', 'flow', 'live', 'rollup')
"""

SUMMED = """
INSERT INTO summed
SELECT DISTINCT a.address, filename FROM rollup r JOIN address a ON r.dest_ip = a.address
UNION SELECT DISTINCT a.address, filename FROM rollup r JOIN address a ON r.src_ip = a.address
"""
SUMMED_FILES = "SELECT DISTINCT filename FROM summed"

# Of a long list hardly any address is ever met: the few that are tell what of a file need not be read.
MET_ADDRESSES = """
INSERT INTO met_address SELECT * FROM address WHERE address IN (SELECT address FROM summed)
"""

# Where flows have been deleted the sums of their hours are left, without ports.
ROLLUP_SUMS = """
INSERT INTO met
WITH hit AS (
    SELECT a.id, 'dest' AS side, r.* FROM rollup r JOIN address a ON r.dest_ip = a.address
    WHERE (a.proto IS NULL OR a.proto = r.proto)
    UNION
    SELECT a.id, 'src' AS side, r.* FROM rollup r JOIN address a ON r.src_ip = a.address
    WHERE (a.proto IS NULL OR a.proto = r.proto)
), once AS (
    SELECT * FROM hit WHERE last_seen_ns >= {since} AND first_seen_ns <= {until}
    QUALIFY row_number() OVER (PARTITION BY id, src_ip, dest_ip, proto, first_seen_ns, last_seen_ns ORDER BY side) = 1
)
SELECT id, side, 'rollup', hash(src_ip, dest_ip, proto, first_seen_ns), NULL, src_ip, NULL, dest_ip, NULL, proto, NULL,
       NULL, NULL, NULL, [], first_seen_ns, last_seen_ns, bytes_toserver, bytes_toclient, NULL, NULL,
       packets_toclient > 0, flows
FROM once
"""

SEEN_ADDRESSES = "SELECT address FROM seen WHERE {rows}"


def see_addresses(source: str) -> str:
    """Give the statement that puts down the addresses which `rollup`, `flow` or `live` shows."""
    return f"INSERT INTO seen SELECT src_ip FROM {source} UNION SELECT dest_ip FROM {source}"


# A flow that was told in pieces, by several records and by its conversation, is one.
SUMS = """
WITH one AS (
    SELECT id, flow_id, max(flows) AS flows, min(side) AS side, list(DISTINCT seen_in) AS seen_in,
           any_value(community_id) AS community_id, any_value(src_ip) AS src_ip, any_value(src_port) AS src_port,
           any_value(dest_ip) AS dest_ip, any_value(dest_port) AS dest_port, any_value(proto) AS proto,
           any_value(src_internal) AS src_internal, any_value(dest_internal) AS dest_internal,
           any_value(src_mac) AS src_mac, any_value(dest_mac) AS dest_mac, arg_max(vlan, end_ns) AS vlan,
           min(start_ns) AS start_ns, max(end_ns) AS end_ns, bool_or(answered) AS answered,
           greatest(sum(to_dest), coalesce(max(live_to_dest), 0)) AS to_dest,
           greatest(sum(to_src), coalesce(max(live_to_src), 0)) AS to_src
    FROM met GROUP BY id, flow_id
)
SELECT id, side, src_ip, dest_ip, src_internal, dest_internal, src_mac, dest_mac, vlan, min(start_ns), max(end_ns),
       sum(CASE WHEN answered THEN flows ELSE 0 END)::BIGINT, sum(CASE WHEN answered THEN 0 ELSE flows END)::BIGINT,
       sum(to_dest)::BIGINT, sum(to_src)::BIGINT, list_sort(list_distinct(flatten(list(seen_in)))),
       arg_max({'flow_id': flow_id, 'community_id': community_id, 'start_ns': start_ns, 'src_port': src_port,
                'dest_port': dest_port, 'proto': proto}, end_ns)
FROM one GROUP BY id, side, src_ip, dest_ip, src_internal, dest_internal, src_mac, dest_mac, vlan,
                  end_ns // 3600000000000
ORDER BY max(end_ns) DESC
"""

MET_ENDS = "SELECT src_ip FROM met UNION SELECT dest_ip FROM met"

SPANS = """
SELECT ip, mac, name, first_seen_ns, max(last_seen_ns), arg_max(vlan, time_ns) FROM host
WHERE ip IN (SELECT ip FROM untold) GROUP BY ip, mac, name, first_seen_ns
"""

UNTOLD = f"""
CREATE OR REPLACE TEMP TABLE untold AS
SELECT ip FROM ({MET_ENDS}) met(ip) WHERE ip NOT IN (SELECT ip FROM told);
INSERT INTO told SELECT ip FROM untold
"""
"""The addresses that were found since machines were last asked for."""
