"""Olist ERP's webhooks (platform-apis.md, section 4): those of the integration and those of the
account, told until they are answered with 200. Nobody signs them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import requests

from connectors.sandbox.invoices import ISSUER
from connectors.sandbox.tiny_answers import Json
from connectors.sandbox.tiny_orders import LABELS, Order

SECONDS = 10
MOST_TRIES = {"integration": 15, "account": 10}
PROBES = ("GET", "HEAD", "OPTIONS", "PUT")


@dataclass
class _Waiting:
    family: str
    body: Json
    tries: int = 0
    not_before: float = 0


@dataclass
class Webhooks:
    """`times` says how often each goes out: once, on a good day. `links` is what the other side
    answered about each product: by the link's id, its code for it."""

    times: Callable[[], int]
    address: str = ""
    integrator: str = ""
    waiting: list[_Waiting] = field(default_factory=list)
    answers: list[tuple[str, int]] = field(default_factory=list)  # kind and status of each
    given_up: list[Json] = field(default_factory=list)
    links: dict[int, str] = field(default_factory=dict)
    refused_links: list[str] = field(default_factory=list)

    def settle(self, address: str, integrator: str) -> None:
        """The panel asks by every method whether somebody is there before it takes an address."""
        for method in PROBES:
            answer = requests.request(method, address, timeout=SECONDS)
            kind = answer.headers.get("Content-Type", "")
            if answer.status_code != 200 or "json" not in kind:
                raise ValueError(f"URL inacessível: {method} {answer.status_code}")
        self.address, self.integrator = address, integrator

    # -- What it tells ---------------------------------------------------------------------------
    def product_changed(self, product: Json, variations: Iterable[Json], stock: Json) -> None:
        def told(each: Json) -> Json:
            return {
                "id": each["id"],
                **self._link(each),
                "codigo": each["codigo"],
                "preco": str(each["preco"]),
                "estoqueAtual": stock.get(each["id"], {}).get("saldo", 0),
            }

        children = [
            {"variacao": told(each) | {"grade": [{"chave": "Tamanho", "valor": each["codigo"]}]}}
            for each in variations
        ]
        data = {**told(product), "nome": product["nome"], "variacoes": children}
        self._tell("integration", "produto", data)

    def price_changed(self, product: Json, parent: Json | None) -> None:
        code = {"skuMapeamentoPai": parent["codigo"]} if parent else {}
        price = {"preco": str(product["preco"]), "precoPromocional": "0"}
        self._tell(
            "integration",
            "precos",
            {**self._link(product), **code, "codigo": product["codigo"], **price},
        )

    def stock_changed(self, product: Json, stock: Json) -> None:
        data = {"idProduto": int(product["id"]), "sku": product["codigo"], "saldo": stock["saldo"]}
        link = {"tipoEstoque": "F", "skuMapeamento": self._link(product)["skuMapeamento"]}
        self._tell("integration", "estoque", {**data, **link})
        self._tell("account", "estoque", {**data, "nome": product["nome"]})

    def order_changed(self, order: Order, kind: str) -> None:
        slug, label = order.situation, LABELS[order.situation]
        situation = {"idPedidoEcommerce": order.number, "idVendaTiny": int(order.id)}
        if kind != "inclusao_pedido":
            data = {**situation, "situacao": slug, "descricaoSituacao": label}
            self._tell("integration", "situacao_pedido", data)
        self._tell(
            "account",
            kind,
            {
                "id": order.id,
                "numero": order.id,
                "idPedidoEcommerce": "",  # it came by API, and not by an e-commerce of the ERP's
                "codigoSituacao": slug,
                "descricaoSituacao": label,
                "idNotaFiscal": order.invoice["id"] if order.invoice else "0",
                "cliente": {"nome": order.document["cliente"]["nome"]},
            },
        )

    def invoice_authorised(self, order: Order, invoice: Json) -> None:
        data = {
            "chaveAcesso": invoice["chave_acesso"],
            "numero": invoice["numero"],
            "serie": invoice["serie"],
            "urlDanfe": "https://danfe.example.com/de-outra-nota",
            "idPedidoEcommerce": "",
            "dataEmissao": invoice["data_emissao"],
            "idNotaFiscalTiny": invoice["id"],
        }
        self._tell("integration", "nota_fiscal", data)

    def tracked(self, order: Order) -> None:
        data = {
            "idPedidoEcommerce": order.number,
            "idVendaTiny": order.id,
            "codigoRastreio": order.shipping["codigo_rastreamento"],
            "urlRastreio": order.shipping["url_rastreamento"],
        }
        self._tell("integration", "rastreio", data)

    def _link(self, product: Json) -> Json:
        number = int(product["id"]) + 10**6
        return {"idMapeamento": number, "skuMapeamento": self.links.get(number, "")}

    def _tell(self, family: str, kind: str, data: Json) -> None:
        if not self.address:
            return
        body: Json = {"cnpj": ISSUER, "tipo": kind, "versao": "1.0.1", "dados": data}
        if family == "integration":
            body |= {"idEcommerce": int(self.integrator)}
        self.waiting += [_Waiting(family, body) for _number in range(self.times())]

    # -- How it rings ----------------------------------------------------------------------------
    def ring(self) -> None:
        """What is due goes out; what is not taken comes back after twice the time."""
        now, due = time.monotonic(), self.waiting
        self.waiting = [notice for notice in due if notice.not_before > now]
        for notice in due:
            if notice.not_before <= now and not self._is_taken(notice.body):
                self._keep(notice, now)

    def _keep(self, notice: _Waiting, now: float) -> None:
        tries = notice.tries + 1
        if tries == MOST_TRIES[notice.family]:
            self.given_up.append(notice.body)
        else:
            again = _Waiting(notice.family, notice.body, tries, now + 2 ** min(tries, 5) / 10)
            self.waiting.append(again)

    def _is_taken(self, body: Json) -> bool:
        try:
            answer = requests.post(self.address, json=body, timeout=SECONDS)
        except requests.RequestException:
            return False
        self.answers.append((body["tipo"], answer.status_code))
        if answer.status_code != 200:
            return False
        if body["tipo"] == "produto":
            self._keep_links(answer.json())
        return True

    def _keep_links(self, entries: list[Any]) -> None:
        for entry in entries:
            if "error" in entry:
                self.refused_links.append(entry["error"])
            else:
                self.links[entry["idMapeamento"]] = entry["skuMapeamento"]

    def report(self) -> Json:
        return {
            "links": sorted(self.links.values()),
            "refused_links": self.refused_links,
            "not_told": [*self.given_up, *(notice.body for notice in self.waiting)],
        }
