"""The rows that the core tells of web servers. Every text comes from the wire: bounded, no passwords, not escaped."""

from typing import final

from sensor.mail.rows import FlowColumns


@final
class WebRow(FlowColumns):
    """A request that a rule matches, or a source that scans (`web.scanner`); `src` asks, `dest` is the server.

    `category` is the alert, `rule` what matched in which `place` (`path`, `query`, `header`, `cookie`, `body`,
    `upload-name`, `upload-content`, `response`) and `parameter`; `excerpt` is decoded. `status` is 0 without an answer.
    `length` is the answer's body as it was seen, `page_bytes` without compression; `delay_seconds` is the time from the
    request's end to the answer's head, and `usual_seconds` the median of the path's latest ordinary requests; each is
    None if it is not known.
    `evidence` is what the answer says of it, and `succeeded` whether that proves it. `count` is the number of requests
    that the row stands for.
    """

    proto: str
    category: str
    rule: str
    weakness: str
    severity: int
    method: str
    host: str
    path: str
    place: str
    parameter: str
    excerpt: str
    user_agent: str
    status: int
    length: int
    page_bytes: int | None
    delay_seconds: float | None
    usual_seconds: float | None
    evidence: str
    succeeded: bool
    count: int
