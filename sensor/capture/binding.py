"""The two stand-alike modules named `pcap`: what they do alike, and their errors made readable."""

import re

_QUOTED_BYTES = re.compile(r"""b'(.*)'|b"(.*)\"""", re.DOTALL)


def error_text(error: OSError) -> str:
    """Give libpcap's own message; pypcap hands it out as bytes, or as the repr of bytes within a sentence."""
    argument = error.args[0] if error.args else ""
    text = argument.decode("utf-8", errors="replace") if isinstance(argument, bytes) else str(argument)
    quoted = _QUOTED_BYTES.search(text)
    text = next(filter(None, quoted.groups()), text) if quoted else text
    return text.rpartition("packet capture library was ")[2].strip() or "libpcap gives no reason"
