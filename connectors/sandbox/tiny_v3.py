"""A company at Olist ERP, formerly Tiny: its API v3 (platform-apis.md, section 5), with the
token endpoint, as far as the portal calls it. Its people invoice, send and deliver approved orders,
one step at each `work`."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from connectors.sandbox.invoices import make_key, now
from connectors.sandbox.messages import Request, Response
from connectors.sandbox.server import Platform

Json = dict[str, Any]

OPEN, INVOICED, CANCELLED, APPROVED, SENT, DELIVERED = 0, 1, 2, 3, 5, 6
STEPS = {APPROVED: INVOICED, INVOICED: SENT, SENT: DELIVERED}
PENDING_NOTE, AUTHORISED_NOTE = "1", "6"  # an invoice's situation, a text here
REFRESH_SECONDS = 24 * 3600
# What only the record itself shows, and no row of a list.
UNLISTED = {"variacoes", "itens", "situacoes", "idNotaFiscal", "dataEnvio", "dataEntrega"}


class TinyV3(Platform):
    """Credentials: `client_id`, `client_secret`, and `refresh_token`, the first one; and
    `hold_invoices` where somebody must authorise them."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.refresh, self.renewed_at = credentials["refresh_token"], time.monotonic()
        self.access = ""
        self.renewals = 0
        self.products: dict[int, Json] = {}
        self.stock: dict[int, Json] = {}
        self.contacts: dict[int, Json] = {}
        self.orders: dict[int, Json] = {}
        self.notes: dict[int, Json] = {}
        self.intermediaries: dict[int, Json] = {}
        self.changed_at: dict[int, datetime] = {}
        self.limits = {"GET": 600, "write": 600}
        self.calls: list[tuple[str, str]] = []
        self.serial = 700

    def new_id(self) -> int:
        self.serial += 1
        self.changed_at[self.serial] = now()
        return self.serial

    # -- What its people do ----------------------------------------------------------------------
    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """put_product {sku, descricao, preco, precoPromocional, saldo, reservado, variacoes} with
        any other field of `GET /produtos/{id}`; set_stock {sku, saldo, reservado};
        put_intermediary {cnpj, nome}; authorise_invoices; expire_access, expire_refresh; report."""
        match verb:
            case "put_product":
                return self._put_product(dict(data))
            case "set_stock":
                [product] = [each for each in self.products.values() if each["sku"] == data["sku"]]
                self.stock[product["id"]] |= {n: data[n] for n in data if n != "sku"}
            case "put_intermediary":
                number = self.new_id()
                self.intermediaries[number] = {"id": number, **data}
            case "authorise_invoices":
                for note in self.notes.values():
                    self._authorise(note)
            case "expire_access":
                self.access = ""
            case "expire_refresh":
                self.renewed_at -= REFRESH_SECONDS
            case "report":
                return self.report()
            case _:
                raise ValueError(verb)
        return {}

    def report(self) -> Json:
        return {
            "stock": {self.products[id]["sku"]: each["saldo"] for id, each in self.stock.items()},
            "orders": {
                each["ecommerce"]["numeroPedidoEcommerce"]: each for each in self.orders.values()
            },
            "renewals": self.renewals,
        }

    def _put_product(self, data: Json, parent: Json | None = None) -> Json:
        known = next((e for e in self.products.values() if e["sku"] == data["sku"]), None)
        number = known["id"] if known else self.new_id()
        self.changed_at[number] = now()
        prices = {name: data.pop(name, 0) for name in ("preco", "precoPromocional", "precoCusto")}
        levels = {"saldo": data.pop("saldo", 0), "reservado": data.pop("reservado", 0)}
        variations = data.pop("variacoes", [])
        product = self.products[number] = {
            "situacao": "A",
            "tipo": "V" if variations else "S",
            "tipoVariacao": "P" if variations else "N",
            **(known or {}),
            **data,
            "id": number,
            "precos": prices,
        }
        self.stock[number] = levels
        if parent:
            product |= {"tipoVariacao": "V", "produtoPai": {"id": parent["id"]}}
        product["variacoes"] = [self._put_product(dict(each), product) for each in variations]
        return product

    def work(self) -> None:
        for order in self.orders.values():
            if order["situacao"] in STEPS:
                self._move(order, STEPS[order["situacao"]])

    def _move(self, order: Json, situation: int) -> None:
        order["situacao"] = situation
        order["situacoes"].append(situation)
        self.changed_at[order["id"]] = now()
        if situation == INVOICED:
            number = self.new_id()
            order["idNotaFiscal"] = number
            self.notes[number] = {
                "id": number,
                "situacao": PENDING_NOTE,
                "numero": f"{len(self.notes) + 1:06}",
                "serie": "1",
                "chaveAcesso": "",
                "dataEmissao": f"{now():%Y-%m-%d}",
                "ecommerce": order["ecommerce"],
                "origem": {"id": str(order["id"]), "tipo": "venda"},
            }
            if "hold_invoices" not in self.credentials:
                self._authorise(self.notes[number])
        if situation == SENT:
            code = self._tracking_code(order["id"])
            order["dataEnvio"] = f"{now():%Y-%m-%d %H:%M:%S}"
            order["transportador"] = {
                "nome": "Transportadora Exemplo",
                "formaFrete": {"id": 4, "nome": "Expressa"},
                "codigoRastreamento": code,
                "urlRastreamento": f"https://rastreio.example.com/{code}",
            }
        if situation == DELIVERED:
            order["dataEntrega"] = f"{now():%Y-%m-%d}"

    def _tracking_code(self, order_id: int) -> str:
        return f"TN{crc32(f'{self.name}/{order_id}'.encode()) % 10**9:09}BR"

    def _authorise(self, note: Json) -> None:
        key = make_key(self.name, int(note["numero"]), now())
        note |= {"situacao": AUTHORISED_NOTE, "chaveAcesso": key}

    # -- The API ---------------------------------------------------------------------------------
    def handle(self, request: Request) -> Response:
        if request.path == ("token",):
            return self._renew(request.form())
        if not self.access or request.headers.get("Authorization") != f"Bearer {self.access}":
            return Response(b"", 401)
        kind = "GET" if request.method == "GET" else "write"
        self.calls.append((request.method, "/".join(request.path)))
        limit = str(self.limits[kind])
        headers = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": "9"}
        if limit == "0":
            headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "17"}
            return Response(b"", 429, headers)
        answer = self._serve(request)
        return Response(answer.data, answer.status, headers)

    def _renew(self, form: Mapping[str, str]) -> Response:
        """Each refresh token is good for one use, and for a day."""
        known = ("client_id", "client_secret")
        if any(form.get(name) != self.credentials[name] for name in known):
            return Response({"error": "unauthorized_client"}, 401)
        expired = time.monotonic() - self.renewed_at >= REFRESH_SECONDS
        if form.get("refresh_token") != self.refresh or expired:
            return Response({"error": "invalid_grant"}, 400)
        self.renewals += 1
        self.renewed_at = time.monotonic()
        self.access, self.refresh = f"access-{self.renewals}", f"refresh-{self.renewals}"
        tokens = {"access_token": self.access, "refresh_token": self.refresh}
        return Response({**tokens, "expires_in": 14400, "token_type": "Bearer"})

    def _serve(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", (("produtos" | "contatos" | "pedidos" | "intermediadores") as name,):
                return self._list(name, request.query)
            case "GET", ("estoque", number) if number.isdigit() and int(number) in self.stock:
                return Response(self._stock_of(int(number)))
            case "GET", ("notas", number, "link") if self._one("notas", number):
                return Response({"link": f"https://danfe.example.com/{number}"})
            case "GET", (name, number) if found := self._one(name, number):
                return Response(found)
            case "POST", ("contatos",):
                contact = {**request.json(), "id": self.new_id()}
                self.contacts[contact["id"]] = contact
                return Response({"id": contact["id"]})
            case "POST", ("pedidos",):
                return self._create_order(request.json())
            case "PUT", ("pedidos", number, "situacao") if order := self._one("pedidos", number):
                self._move(order, request.json()["situacao"])
                return Response(b"", 204)
        return Response(b"", 404)

    def _held(self, name: str) -> dict[int, Json]:
        return {
            "produtos": self.products,
            "contatos": self.contacts,
            "pedidos": self.orders,
            "notas": self.notes,
            "intermediadores": self.intermediaries,
        }.get(name, {})

    def _one(self, name: str, number: str) -> Json | None:
        return self._held(name).get(int(number)) if number.isdigit() else None

    def _list(self, name: str, query: Mapping[str, str]) -> Response:
        """The comparison of texts is loose."""
        filters: dict[str, Callable[[Json, str], bool]] = {
            "codigo": lambda each, text: text in each["sku"],
            "situacao": lambda each, text: each["situacao"] == text,
            "cpfCnpj": lambda each, text: text in each["cpfCnpj"],
            "cnpj": lambda each, text: text in "".join(c for c in each["cnpj"] if c.isalnum()),
            "numeroPedidoEcommerce": lambda each, text: (
                text in each["ecommerce"]["numeroPedidoEcommerce"]
            ),
            "dataAlteracao": self._changed_since,
            "dataAtualizacao": self._changed_since,
        }
        used = {key: text for key, text in query.items() if key in filters}
        found = [
            each
            for each in self._held(name).values()
            if all(filters[key](each, text) for key, text in used.items())
        ]
        limit, offset = int(query.get("limit", "100")), int(query.get("offset", "0"))
        rows = [{k: v for k, v in each.items() if k not in UNLISTED} for each in found]
        paging = {"limit": limit, "offset": offset, "total": len(found)}
        return Response({"itens": rows[offset : offset + limit], "paginacao": paging})

    def _changed_since(self, each: Json, text: str) -> bool:
        return self.changed_at[each["id"]] >= datetime.fromisoformat(text).replace(
            tzinfo=now().tzinfo
        ) - timedelta(seconds=1)

    def _stock_of(self, number: int) -> Json:
        product, level = self.products[number], self.stock[number]
        deposits = [{"id": 1, "nome": "Geral", "desconsiderar": False, **level}]
        named = {"id": number, "nome": product["descricao"], "codigo": product["sku"]}
        return {**named, **level, "disponivel": 0, "depositos": deposits}

    def _create_order(self, body: Json) -> Response:
        wrong = [
            {"campo": name, "mensagem": "obrigatório"}
            for name in ("data", "idContato", "itens")
            if not body.get(name)
        ]
        products = [item["produto"]["id"] for item in body.get("itens", [])]
        if body.get("idContato") not in self.contacts or not set(products) <= set(self.products):
            wrong.append({"campo": "id", "mensagem": "não encontrado"})
        if wrong:
            return Response({"mensagem": "Dados inválidos", "detalhes": wrong}, 400)
        named = body.get("ecommerce", {})
        if not named.get("id"):
            body = {**body, "ecommerce": {"numeroPedidoEcommerce": ""}}
        elif any(each["ecommerce"] == named for each in self.orders.values()):
            return Response({"mensagem": "Pedido já cadastrado"}, 409)
        number = self.new_id()
        situation = body.get("situacao", OPEN)
        unsent = {"dataEnvio": "", "dataEntrega": "", "idNotaFiscal": None, "transportador": None}
        self.orders[number] = {
            **unsent, **body, "id": number, "situacao": situation, "situacoes": [situation]
        }  # fmt: skip
        return Response({"id": number, "numeroPedido": str(number)})
