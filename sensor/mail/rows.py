"""The rows that the core tells of mail and of logins, one typed dictionary a kind.

Every text comes from the wire: it is bounded, and escaped by whoever shows it.
"""

from typing import TypedDict, final


@final
class Recipient(TypedDict):
    """A recipient of the envelope, and the server's reply to it; `code` is 0 when it was not seen."""

    address: str
    code: int
    reply: str


@final
class Link(TypedDict):
    """Where a link of a message leads, what is shown in its place if that is not the URL, and `text` or `html`."""

    url: str
    shown: str
    source: str


@final
class Attachment(TypedDict):
    """A file that came along with a message; size and hash are of what it decodes to."""

    name: str
    content_type: str
    size_bytes: int
    sha256: str


class FlowColumns(TypedDict):
    """The connection that a row is about: `src` opened it; times in nanoseconds since 1970.

    `frame` is the number of its first packet in the file `in_iface`, as Wireshark counts; None live.
    """

    time_ns: int
    start_ns: int
    flow_id: int
    community_id: str
    src_ip: str
    src_port: int
    dest_ip: str
    dest_port: int
    src_internal: bool
    dest_internal: bool
    src_mac: str | None
    dest_mac: str | None
    vlan: list[int]
    in_iface: str
    frame: int | None


@final
class MailRow(FlowColumns):
    """A mail transaction (`smtp`), or a mail read or stored (`pop3`, `imap`).

    `mail_from` is None where no MAIL FROM was seen, and empty for the null sender. `status` is `delivered`, `refused`,
    `partly` or `unknown`, `delivered` the number of recipients for whom the server took the message; codes are 0 where
    no reply was seen. `command` is the one that moved the mail (`RETR`, `TOP`, `FETCH`, `APPEND`). From `from_address`
    on the columns are the message's, empty without one (`has_message`).
    """

    protocol: str
    command: str
    helo: str
    user: str
    mail_from: str | None
    mail_code: int
    rcpt_to: list[Recipient]
    data_code: int
    data_reply: str
    delivered: int
    status: str
    tls: bool
    has_message: bool
    from_address: str
    from_name: str
    sender: str
    reply_to: str
    to: list[str]
    cc: list[str]
    subject: str
    date: str
    message_id: str
    x_mailer: str
    received: list[str]
    list_id: str
    urls: list[Link]
    attachments: list[Attachment]
    body_md5: str
    excerpt: str
    size_bytes: int
    truncated: bool
    charset: str
    defects: list[str]


@final
class ClickRow(FlowColumns):
    """Somebody inside, `src`, asks for the host of a mail's link; `protocol` is `dns`, `tls`, `quic` or `http`.

    `exact`: path and query (`target`) are a link's, too. `visited_before`: somebody inside had asked for the host
    before `mail_ns`, the packet time of the first mail with it.
    """

    protocol: str
    host: str
    target: str
    exact: bool
    visited_before: bool
    mail_ns: int


@final
class LoginRow(FlowColumns):
    """An attempt to log in: `success` is None when the server's answer was not seen; `clear`: legible."""

    protocol: str
    mechanism: str
    user: str
    success: bool | None
    clear: bool
