"""The caller's address, as far as it may be known and kept."""

import ipaddress

from flask import g, request


def client_network() -> str:
    """The network of the caller: IPv4 /24, IPv6 /56. The whole address is never kept.

    ``remote_addr`` is the peer, or what the configured number of trusted proxies say (``ProxyFix``); headers a
    caller sends by himself are not believed.
    """
    if "network" not in g:
        g.network = _network_of(request.remote_addr or "")
    found: str = g.network
    return found


def _network_of(peer: str) -> str:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return "unknown"
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    prefix = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network((address, prefix), strict=False))
