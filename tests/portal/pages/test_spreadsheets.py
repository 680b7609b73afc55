"""The pages of a spreadsheet: sent, judged, confirmed, and what was refused taken home."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from catalog.models import Spreadsheet
from catalog.spreadsheets.jobs import work
from connectors.models import Act, Store
from tests.catalog.spreadsheets.sheets import send, text, xlsx
from tests.conftest import make_store

pytestmark = pytest.mark.django_db
ROWS = (["SKU", "NCM"], ["A", "61091000"], ["B", "1"])


def post_file(page: Client, store: Store, content: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("produtos.xlsx", content)
    form = {"kind": "products", "store": store.pk, "file": file, **fields}
    return page.post("/spreadsheets/", form)


def test_a_spreadsheet_is_sent_judged_and_confirmed(page: Client, store: Store) -> None:
    sent = post_file(page, store, xlsx(*ROWS))
    url = sent["Location"]
    reading = page.get(url)
    assert 'hx-trigger="every 2s"' in reading.content.decode()
    sheet = Spreadsheet.objects.get()
    work(sheet.pk)

    judged = page.get(url).content.decode()
    assert "Confirmar e importar" in judged
    assert "NCM: são 8 algarismos" in judged
    assert not store.products.exists()
    page.post(url, {"say": "confirm"})
    part = page.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "<progress" in part
    work(sheet.pk)

    assert store.products.get().sku == "A"
    assert "hx-get" not in page.get(url).content.decode()


@pytest.mark.parametrize(
    ("say", "what"),
    [
        ("confirm", "Importação iniciada."),
        ("cancel", "Planilha descartada: nada foi alterado."),
    ],
)
def test_who_decided_on_a_spreadsheet_is_on_record_once(
    say: str, what: str, page: Client, store: Store, merchant: User
) -> None:
    sheet = send(store, xlsx(*ROWS))

    for _time in range(2):
        page.post(f"/spreadsheets/{sheet.public_id}/", {"say": say})

    act = Act.objects.get(store=store)
    assert (act.by, act.what, act.object_id) == (merchant, what, str(sheet.pk))


def test_refused_rows_are_taken_home_in_the_files_own_format(page: Client, store: Store) -> None:
    as_xlsx, as_csv = send(store, xlsx(*ROWS)), send(store, text(*ROWS))

    book = page.get(f"/spreadsheets/{as_xlsx.public_id}/refused/")
    lines = page.get(f"/spreadsheets/{as_csv.public_id}/refused/").getvalue().decode("utf-8-sig")

    rows = list(
        load_workbook(io.BytesIO(book.getvalue())).worksheets[0].iter_rows(values_only=True)
    )
    assert rows[0] == ("SKU", "NCM", "Motivo")
    assert rows[1][:2] == ("B", "1")
    assert lines.splitlines()[1].startswith("B;1;NCM: ")


def test_models_are_downloaded(page: Client) -> None:
    assert page.get("/spreadsheets/model/products/").content.startswith(b"PK")
    assert page.get("/spreadsheets/model/other/").status_code == 404


@pytest.mark.parametrize("content", [b"", b"\x00\x01binary", b"PK\x03\x04rubbish"])
def test_what_is_no_spreadsheet_is_said_beside_the_file(
    page: Client, store: Store, content: bytes
) -> None:
    answer = post_file(page, store, content)

    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert not Spreadsheet.objects.exists()


def test_a_mapping_needs_an_integration(page: Client, store: Store) -> None:
    answer = post_file(page, store, xlsx(["SKU"], ["A"]), kind="mappings")

    assert "Escolha a integração" in answer.content.decode()


def test_anothers_spreadsheet_is_as_unknown_as_one_that_nobody_has(
    page: Client, store: Store
) -> None:
    foreign = send(make_store(), xlsx(*ROWS))

    for name in (foreign.public_id, "nenhuma"):
        url = f"/spreadsheets/{name}/"
        assert page.get(url).status_code == page.get(f"{url}refused/").status_code == 404
        assert page.post(url, {"say": "confirm"}).status_code == 404
    assert post_file(page, foreign.store, xlsx(*ROWS)).context["form"].errors["store"]
    foreign.refresh_from_db()
    assert foreign.state == "ready"


def test_who_is_a_member_of_no_store_is_told_so(page: Client, store: Store) -> None:
    text = "Você ainda não é membro de nenhuma loja"
    assert text not in page.get("/").content.decode()
    store.members.clear()

    for path in ("/", "/orders/", "/catalogue/", "/integrations/", "/spreadsheets/"):
        assert text in page.get(path).content.decode()


def test_an_empty_file_is_called_empty(page: Client, store: Store) -> None:
    assert "O arquivo está vazio." in post_file(page, store, b"").content.decode()
