"""Addresses that people type and we call: what is wrong with one, before anybody calls it.

A name that leads into our own network is only known when it is called: connectors/http.py refuses
it then.
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# Nobody can register below these (RFC 6761, RFC 6762, and what routers hand out).
NOT_PUBLIC = {
    "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan", "local",
    "localdomain", "localhost", "onion", "private", "test",
}  # fmt: skip


def fault_of(url: str, domain: str = "") -> str:
    """Why this address cannot be a plugin's; empty where it can. With `domain`, it must be that
    one or a part of it."""
    if settings.ALLOW_PRIVATE_ADDRESSES:
        return ""
    try:
        parts = urlsplit(url)
        host, named_port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return _("Isto não é um endereço.")
    if parts.scheme != "https":
        return _("A URL precisa começar com https://")
    if parts.username or parts.password:
        return _("Tire o usuário e a senha do endereço.")
    if named_port not in (None, 443):
        return _("Tire o número da porta do endereço.")
    if fault := _fault_of_host(host):
        return fault
    if domain and not is_within(host, domain):
        return _("O endereço precisa ser do domínio da loja: %(domain)s.") % {"domain": domain}
    return ""


def _fault_of_host(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return _("Use o nome do site, e não um número de IP.")
    try:
        labels = host.encode("idna").decode().lower().split(".")
    except UnicodeError:
        return _("Este nome de site não existe.")
    if labels[-1] in NOT_PUBLIC:
        return _("Este endereço é de uma rede interna: o portal não o alcança.")
    if len(labels) < 2 or labels[-1].isdigit() or not all(LABEL.fullmatch(part) for part in labels):
        return _("Falta o nome completo do site, como em www.loja.com.br.")
    return ""


def is_within(host: str, domain: str) -> bool:
    """The store's domain may be recorded with or without www."""
    host, domain = host.lower(), domain.lower().removeprefix("www.")
    return host == domain or host.endswith(f".{domain}")
