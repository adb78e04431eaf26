"""The proxies in front of Envoy."""

from ipaddress import ip_network

from extproc.client_address import Proxies
from extproc.config.document import Document
from extproc.config.settings import ClientSettings


def compile_proxies(document: Document, settings: ClientSettings | None) -> Proxies:
    """Raise ConfigError where a range is none."""
    if settings is None:
        return Proxies()
    networks = []
    for index, text in enumerate(settings.proxies):
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            place = ("clients", "proxies", index)
            remedy = "write the first address of the range, as in 10.0.0.0/8"
            raise document.fault(place, "no range of IP addresses", remedy) from error
    return Proxies(tuple(networks), settings.trusted_hops)
