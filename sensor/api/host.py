"""One address with everything that is known of it."""

from ipaddress import ip_address, ip_network
from typing import Any

from sensor.api.alerts import AlertQuery
from sensor.api.view import SensorView, UnknownError

_MOST_ROWS = 100


def host_page(view: SensorView, address: str) -> dict[str, Any]:
    """Give the host's row (None of one that is not internal), its connections by rate, and its incidents.

    ValueError if it is no address, UnknownError if there is nothing to say of it.
    """
    try:
        text = str(ip_address(address))
        network = ip_network(text)
    except ValueError:
        raise ValueError("not an IPv4 or IPv6 address") from None
    hosts = view.hosts(text, "rate", 1)
    flows = view.flows(text, "rate", _MOST_ROWS)
    alerts = AlertQuery(state="all", host=network, limit=_MOST_ROWS).answer(view)
    if not (hosts or flows or alerts):
        raise UnknownError(f"nothing is known of {text}")
    return {"address": text, "host": hosts[0] if hosts else None, "flows": flows, "alerts": alerts}
