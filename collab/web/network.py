"""The caller's address, as far as it may be known and kept."""

import ipaddress

from flask import request


def client_network() -> str:
    """The network of the caller: IPv4 /24, IPv6 /56. The whole address is never kept.

    ``remote_addr`` is the peer, or what the configured number of trusted proxies say (``ProxyFix``); headers a
    caller sends by himself are not believed.
    """
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    prefix = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network((address, prefix), strict=False))
