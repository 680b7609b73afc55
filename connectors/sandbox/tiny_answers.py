"""The answers of Olist ERP's API v2, formerly Tiny's: errors, pages, lists that forget."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.invoices import now

Json = dict[str, Any]
Form = Mapping[str, str]

PAGE = 100
DATE, DATE_TIME = "%d/%m/%Y", "%d/%m/%Y %H:%M:%S"


class Fault(Exception):
    """An answer with status "Erro". In a write it stands at the record, not at the head."""

    def __init__(self, code: int, *texts: str, at_record: bool = False) -> None:
        self.code = code
        self.texts = texts
        self.at_record = at_record

    def answer(self) -> Json:
        errors = [{"erro": text} for text in self.texts]
        if not self.at_record:
            processing = 1 if self.code < 10 else 2
            return {
                "status_processamento": processing,
                "status": "Erro",
                "codigo_erro": self.code,
                "erros": errors,
            }
        record = {"sequencia": "1", "status": "Erro", "codigo_erro": str(self.code)}
        return {
            "status_processamento": "2",
            "status": "Erro",
            "registros": [{"registro": {**record, "erros": errors}}],
        }


def found_by_id(things: Mapping[str, Any], form: Form) -> Any:
    if not form.get("id"):
        raise Fault(10, "O parâmetro id é obrigatório")
    if form["id"] not in things:
        raise Fault(32, "Registro não localizado")
    return things[form["id"]]


def paged(name: str, found: list[Json], form: Form) -> Json:
    number = int(form.get("pagina", "1"))
    pages = -(-len(found) // PAGE)
    if not found:
        raise Fault(20, "A Consulta não retornou registros")
    if number > pages:
        raise Fault(23, "A página que você está tentando obter não existe")
    rows = found[(number - 1) * PAGE : number * PAGE]
    return {"pagina": str(number), "numero_paginas": str(pages), name: rows}


def take_updates(
    updates: dict[str, datetime], row: Callable[[str, datetime], Json], form: Form
) -> Json:
    """What is answered is off the list."""
    if not form.get("dataAlteracao"):
        raise Fault(10, "O parâmetro dataAlteracao é obrigatório")
    after = updated_at(form["dataAlteracao"])
    found = [{"produto": row(id, at)} for id, at in updates.items() if at >= after]
    answer = paged("produtos", found, form)
    for each in answer["produtos"]:
        del updates[str(each["produto"]["id"])]
    return answer


def updated_at(text: str) -> datetime:
    """A date or a date-time; long ago where there is none."""
    if not text:
        return now() - timedelta(days=36500)
    shape = DATE_TIME if " " in text else DATE
    return datetime.strptime(text, shape).replace(tzinfo=now().tzinfo)
