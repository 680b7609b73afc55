"""What stands around the portal: two stores, each with a platform behind it and a channel before.

Loja A   Linx, by the store contract        Pluga's tools, which call the hub's API
Loja B   Olist ERP, by its own API          Plugg.to, by its own API
"""

import secrets
from dataclasses import dataclass
from typing import Any

from connectors.models import Activation
from portal.demo.scene import Sandbox
from tests.conftest import Partner, make_managed, make_partner, make_store

SKUS = [f"SKU-{number:02}" for number in range(12)]
SHOP, ERP, TOOLS, HUB = "shop", "erp", "tools", "hub"
STOCKED = (SHOP, ERP)
# What goes wrong between the portal and them while it lasts; the rates of tests/portal's faults.
FAULTS = {
    "down": 0.03, "lost_answer": 0.05, "slow": 0.02, "429": 0.02, "500": 0.02, "502_after": 0.03,
    "truncated": 0.02, "repeated_page": 0.03, "out_of_order": 0.05, "notices_twice": 0.3,
}  # fmt: skip


@dataclass
class World:
    sandbox: Sandbox
    partner: Partner
    activations: dict[str, Activation]  # by the name of whom they connect

    def reports(self) -> dict[str, Any]:
        return {name: self.sandbox.report(name) for name in self.activations}

    def set_faults(self, rates: dict[str, float], seed: int) -> None:
        for name in self.activations:
            self.sandbox.control(name, "faults", rates=rates, seed=seed)


def build(sandbox_url: str, web_url: str) -> World:
    sandbox = Sandbox(sandbox_url)
    shop_store, erp_store = make_store(name="Loja A"), make_store(name="Loja B")
    token = {"token": secrets.token_hex(16)}
    shop_url = sandbox.open("store", SHOP, token)
    linx = make_managed(shop_store, "linx", shop_url, token)
    erp_url = sandbox.open("tiny", ERP, token)
    olist = make_managed(erp_store, "olist", erp_url + "/", token | {"integrator_id": "4321"})
    four = {
        "client_id": secrets.token_hex(16),
        "client_secret": secrets.token_hex(16),
        "api_user": "1700000000000",
        "api_secret": secrets.token_hex(32),
    }
    upstream = make_managed(erp_store, "pluggto", sandbox.open("hub", HUB, four), four)
    tools_url = sandbox.open("tools", TOOLS, {"hub": web_url + "/api"})
    partner = make_partner(shop_store, "pluga", plugin_url=tools_url)
    sandbox.control(TOOLS, "settings", webhook_secret=partner.issued.webhook_secret)
    for name in STOCKED:
        for sku in SKUS:
            sandbox.control(name, "put_product", sku=sku, name=sku, price=10, quantity=500)
    activations = {SHOP: linx, ERP: olist, HUB: upstream, TOOLS: partner.activation}
    return World(sandbox, partner, activations)
