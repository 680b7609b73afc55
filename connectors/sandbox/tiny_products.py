"""The products of a company at Olist ERP, formerly Tiny, and what its API says of them."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.sandbox.invoices import now
from connectors.sandbox.server import Platform
from connectors.sandbox.tiny_answers import (
    DATE_TIME,
    Fault,
    Form,
    Json,
    found_by_id,
    paged,
    take_updates,
)
from connectors.sandbox.tiny_webhooks import Webhooks

# What a product has of which nobody has said anything.
UNSAID: Json = {
    "unidade": "UN", "origem": "0", "situacao": "A", "tipo": "P", "variacoes": [],
    "preco_promocional": 0, "preco_custo": 0, "preco_custo_medio": 0, "peso_liquido": 0,
    "peso_bruto": 0, "ncm": "", "cest": "", "gtin": "", "descricao_complementar": "", "obs": "",
    "garantia": "", "marca": "", "categoria": "", "idProdutoPai": "", "dias_preparacao": "",
}  # fmt: skip
ROW = (
    "id", "codigo", "nome", "preco", "preco_promocional", "preco_custo", "preco_custo_medio",
    "unidade", "gtin", "tipoVariacao", "situacao",
)  # fmt: skip


class Shelves(Platform):
    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.last_id = 710000000
        self.products: dict[str, Json] = {}  # by id, as `produto.obter` shows them
        self.stock: dict[str, Json] = {}  # by the product's id
        # What the lists of updates have not answered yet: when it changed, by product.
        self.product_updates: dict[str, datetime] = {}
        self.stock_updates: dict[str, datetime] = {}
        self.webhooks = Webhooks(lambda: self.faults.times())

    # -- What its people do ----------------------------------------------------------------------
    def put_product(self, data: Mapping[str, Any]) -> Json:
        children = data.get("variacoes", [])
        fields = {name: value for name, value in data.items() if name != "saldo"}
        id = self._store_product({**fields, "tipoVariacao": "P" if children else "N"})
        shown = []
        for child in children:
            child_id = self._store_product(
                {
                    "nome": data["nome"],
                    "codigo": child["codigo"],
                    "preco": child["preco"],
                    "preco_promocional": child.get("preco_promocional", 0),
                    "tipoVariacao": "V",
                    "idProdutoPai": id,
                }
            )
            self._stock_at_first(child_id, child)
            shown.append((child_id, child["grade"]))
        self.products[id]["variacoes"] = shown
        if not children:
            self._stock_at_first(id, data)
        self.product_updates[id] = now()
        children = [self.products[child_id] for child_id, _options in shown]
        self.webhooks.product_changed(self.products[id], children, self.stock)
        return {"id": id}

    def _store_product(self, fields: Json) -> str:
        """Under its code, with what was not said empty, as the ERP leaves it."""
        known = next(
            (id for id, each in self.products.items() if each["codigo"] == fields["codigo"]), None
        )
        id = known or self.new_id()
        self.products[id] = {**UNSAID, **fields, "id": id}
        return id

    def _stock_at_first(self, id: str, data: Mapping[str, Any]) -> None:
        if "saldo" in data or id not in self.stock:
            self._put_stock(id, data)

    def _put_stock(self, id: str, data: Mapping[str, Any]) -> None:
        quantity = data.get("saldo", 0)
        usual = [{"nome": "Geral", "desconsiderar": "N", "saldo": quantity, "empresa": self.name}]
        self.stock[id] = {
            "saldo": quantity,
            "saldoReservado": data.get("saldoReservado", 0),
            "depositos": [{"deposito": each} for each in data.get("depositos", usual)],
        }
        self.stock_updates[id] = now()
        self.webhooks.stock_changed(self.products[id], self.stock[id])

    def put_aside(self, document: Json, sign: int) -> None:
        """The ERP keeps units for every order; with the sign turned round it keeps them no more."""
        for item in (entry["item"] for entry in document["itens"]):
            for id, product in self.products.items():
                if product["codigo"] == item.get("codigo") and id in self.stock:
                    kept = self.stock[id]["saldoReservado"] + sign * int(float(item["quantidade"]))
                    self.stock[id] = {**self.stock[id], "saldoReservado": kept}
                    self.stock_updates[id] = now()
                    self.webhooks.stock_changed(product, self.stock[id])

    def set_price(self, data: Mapping[str, Any]) -> Json:
        product = self._by_code(data["codigo"])
        product.update(data)
        parent = self.products.get(product["idProdutoPai"])
        self.product_updates[(parent or product)["id"]] = now()
        self.webhooks.price_changed(product, parent)
        return {"id": product["id"]}

    def set_stock(self, data: Mapping[str, Any]) -> Json:
        product = self._by_code(data["codigo"])
        self._put_stock(product["id"], data)
        return {"id": product["id"]}

    def _by_code(self, code: str) -> Json:
        return next(each for each in self.products.values() if each["codigo"] == code)

    def new_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    # -- The API ---------------------------------------------------------------------------------
    def search_products(self, form: Form) -> Json:
        """Variations are not among the rows."""
        if "pesquisa" not in form:
            raise Fault(10, "O parâmetro pesquisa é obrigatório")
        found = [
            {"produto": {name: each[name] for name in ROW}}
            for each in self.products.values()
            if each["tipoVariacao"] != "V"
            and form["pesquisa"].lower() in f"{each['codigo']} {each['nome']}".lower()
            and form.get("situacao", each["situacao"]) == each["situacao"]
        ]
        return paged("produtos", found, form)

    def get_product(self, form: Form) -> Json:
        product = found_by_id(self.products, form)
        children = [
            {
                "variacao": {
                    "id": id,
                    "codigo": self.products[id]["codigo"],
                    "preco": f"{Decimal(str(self.products[id]['preco'])):.10f}",
                    "grade": options,
                }
            }
            for id, options in product["variacoes"]
        ]
        return {"produto": {**product, "variacoes": children or ""}}

    def get_stock(self, form: Form) -> Json:
        return {"produto": self._stock_row(found_by_id(self.products, form)["id"])}

    def list_product_updates(self, form: Form) -> Json:
        def row(id: str, at: datetime) -> Json:
            product = self.products[id]
            return {
                "id": int(id),
                **{name: product[name] for name in ("codigo", "nome", "unidade")},
                "preco": str(product["preco"]),
                "data_alteracao": f"{at:{DATE_TIME}}",
            }

        return take_updates(self.product_updates, row, form)

    def list_stock_updates(self, form: Form) -> Json:
        def row(id: str, at: datetime) -> Json:
            kind = self.products[id]["tipoVariacao"]
            changed = {"tipo_variacao": kind, "data_alteracao": f"{at:{DATE_TIME}}"}
            return {**self._stock_row(id), **changed, "id": int(id)}

        return take_updates(self.stock_updates, row, form)

    def _stock_row(self, id: str) -> Json:
        product = self.products[id]
        named = {name: product[name] for name in ("id", "codigo", "nome", "unidade")}
        nothing = {"saldo": 0, "saldoReservado": 0, "depositos": []}
        return {**named, **self.stock.get(id, nothing)}

    def change_products(self, form: Form) -> Json:
        """A batch: those that it does not know are refused, and the others are written."""
        try:
            entries = [each["produto"] for each in json.loads(form["produto"])["produtos"]]
        except (KeyError, TypeError, ValueError) as error:
            raise Fault(3, "XML ou JSON mal formado") from error
        records = [self._change(each) for each in entries]
        refused = [each for each in records if each["status"] == "Erro"]
        status = "Parcial" if 0 < len(refused) < len(records) else "Erro" if refused else "OK"
        return {"status": status, "registros": [{"registro": each} for each in records]}

    def _change(self, entry: Json) -> Json:
        record = {"sequencia": entry.get("sequencia", "1"), "status": "OK", "id": entry.get("id")}
        product = self.products.get(str(entry.get("id")))
        if product is None:
            unknown = [{"erro": f"Produto {entry.get('id')} não localizado"}]
            return {**record, "status": "Erro", "codigo_erro": "32", "erros": unknown}
        product.update({n: value for n, value in entry.items() if n not in ("id", "sequencia")})
        return record


def in_its_words(goods: Mapping[str, Any]) -> Json:
    """What every other platform of the sandbox calls sku, name, price and quantity."""
    words = {"sku": "codigo", "name": "nome", "price": "preco", "quantity": "saldo"}
    product = {words.get(name, name): value for name, value in goods.items()}
    if variations := product.pop("variations", None):
        product["classe_produto"] = "V"
        product["variacoes"] = [
            in_its_words(variation) | {"grade": {"Tamanho": variation["sku"][-1]}}
            for variation in variations
        ]
    return product
