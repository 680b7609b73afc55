"""The merchant's catalogue, spreadsheets, integrations and personal data in a real browser: wide
and narrow, in the dark too, by whoever cannot see or use a mouse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, Route

from catalog.models import SkuMapping, Spreadsheet
from catalog.services import create_product, save_product
from catalog.spreadsheets.jobs import work
from connectors.models import Store
from tests.browser.conftest import NARROW, PICTURES, WIDE, problems
from tests.catalog.spreadsheets.sheets import send, xlsx
from tests.conftest import make_managed, make_partner

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHOTO = {"url": "https://loja.example/caneca-azul-com-um-nome-de-arquivo-bem-comprido-mesmo.jpg"}
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="9"/></svg>'


@pytest.fixture
def merchant_page(
    chromium: Browser, live_server: Any, transactional_db: None, store: Store
) -> Iterator[Page]:
    merchant = User.objects.create_user("ana", password="senha-da-ana")
    store.members.add(merchant)
    session = Client()
    session.force_login(merchant)
    context = chromium.new_context(viewport=WIDE, locale="pt-BR", base_url=live_server.url)
    context.set_default_timeout(10_000)
    cookie = session.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    yield context.new_page()
    context.close()


def look(page: Page, name: str) -> None:
    """Nothing serious is wrong, light or dark, wide or narrow, and nothing lies beyond the edge."""
    folder = PICTURES / "merchant"
    Path(folder).mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            page.wait_for_timeout(100)
            page.screenshot(path=folder / f"{name}-{scheme}-{size['width']}.png", full_page=True)
            assert problems(page) == []
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def fill(store: Store) -> str:
    """A product of the platform's with variations; one of the merchant's own. The latter's id."""
    rocky = make_partner(store, "rocky").activation
    otimo = make_partner(store, "otimo").activation
    save_product(
        store,
        "CAM",
        {
            "name": "Camiseta de algodão orgânico, gola redonda",
            "price": "59.90",
            "variations": [
                {"sku": f"CAM-{size}", "quantity": 3, "price": "59.90"} for size in "PMG"
            ],
        },
        rocky,
    )
    own = create_product(
        store,
        {
            "sku": "CANECA-AZUL-325ML",
            "name": "Caneca azul",
            "price": "39.9",
            "quantity": 0,
            "photos": [PHOTO],
            "stock_table": [{"code": "CD-SP", "quantity": 4, "reserved": 1}],
            "attributes": [{"code": "cor", "label": "Cor", "value": {"label": "Azul"}}],
        },
        None,
    )
    SkuMapping.objects.create(activation=otimo, code="ERP-0001", product=own)
    return own.public_id


def show_photos(page: Page) -> list[tuple[str, str | None]]:
    """What the photos' host was asked, and from where."""
    asked: list[tuple[str, str | None]] = []

    def answer(route: Route) -> None:
        asked.append((route.request.url, route.request.header_value("referer")))
        route.fulfill(content_type="image/svg+xml", body=PICTURE)

    page.route("https://loja.example/**", answer)
    page.wait_for_timeout(300)
    assert asked == []
    page.get_by_text("Mostrar as fotos").press("Enter")
    page.wait_for_function("() => document.querySelector('.photos img').naturalWidth > 0")
    return asked


def test_a_merchant_finds_and_edits_a_product(merchant_page: Page, store: Store) -> None:
    own, page = fill(store), merchant_page

    page.goto("/catalogue/")
    look(page, "catalogue")
    page.get_by_label("SKU, EAN ou nome").fill("caneca")
    page.get_by_role("button", name="Buscar").click()
    page.get_by_role("link", name="CANECA-AZUL-325ML").click()
    look(page, "product")
    asked = show_photos(page)
    look(page, "product-photos")
    assert asked == [(PHOTO["url"], None)]
    page.get_by_label("NCM").fill("123")
    page.get_by_role("button", name="Salvar").click()
    assert "8 algarismos" in page.get_by_role("alert").inner_text()
    look(page, "product-refused")
    page.get_by_label("NCM").fill("6912.00.00")
    page.get_by_role("button", name="Salvar").click()
    page.get_by_text("Produto salvo").wait_for()

    assert store.products.get(public_id=own).fields["ncm"] == "69120000"
    page.goto("/catalogue/?q=CAM")
    page.get_by_role("link", name="CAM", exact=True).click()
    look(page, "family")


def test_a_merchant_sends_a_spreadsheet_and_follows_it(
    merchant_page: Page, store: Store, tmp_path: Path
) -> None:
    page, file = merchant_page, tmp_path / "produtos.xlsx"
    file.write_bytes(xlsx(["SKU", "Nome", "NCM"], ["A", "Caneca", "69120000"], ["B", "Copo", "1"]))

    page.goto("/spreadsheets/")
    look(page, "spreadsheets")
    page.get_by_label("Arquivo").set_input_files(file)
    page.get_by_role("button", name="Enviar e conferir").click()
    page.locator("progress").wait_for()
    look(page, "spreadsheet-reading")
    sheet = Spreadsheet.objects.get()
    work(sheet.pk)
    page.get_by_role("button", name="Confirmar e importar").wait_for()  # without a reload
    look(page, "spreadsheet-ready")
    page.get_by_role("button", name="Confirmar e importar").click()
    page.locator("progress").wait_for()
    look(page, "spreadsheet-importing")
    work(sheet.pk)
    page.get_by_role("heading", name="Concluída").wait_for()

    look(page, "spreadsheet-done")
    assert store.products.get().sku == "A"
    with page.expect_download() as download:
        page.get_by_role("link", name="Baixar as linhas recusadas").click()
    assert download.value.suggested_filename == "recusadas.xlsx"


def test_a_merchant_looks_after_his_integrations(merchant_page: Page, store: Store) -> None:
    page = merchant_page
    rocky = make_managed(store, "rocky", "https://loja.example", {"token": "segredo"})
    rocky.flows.update(due_at="2099-01-01T00:00:00Z")
    linx = make_partner(store, "linx").activation

    page.goto("/integrations/")
    look(page, "integrations")
    page.get_by_label("Integração", exact=True).select_option(label="Webstore")
    page.get_by_role("button", name="Pedir ao suporte").click()
    page.get_by_text("Pedido enviado").wait_for()
    page.goto(f"/integrations/{rocky.pk}/")
    look(page, "integration")
    page.get_by_role("button", name="Sincronizar agora").first.click()
    page.locator("progress").first.wait_for()
    look(page, "integration-going")
    page.goto(f"/integrations/{linx.pk}/")
    look(page, "integration-settings")


def test_a_merchant_answers_a_buyer_who_asks_for_his_data(merchant_page: Page) -> None:
    page = merchant_page

    page.goto("/personal-data/")
    page.get_by_label("CPF, CNPJ").fill("123.456.789-09")
    page.get_by_role("button", name="Procurar").click()
    page.get_by_text("Nenhum pedido desta loja").wait_for()

    look(page, "personal")


def test_no_page_loads_anything_from_elsewhere(merchant_page: Page, store: Store) -> None:
    page, asked = merchant_page, []
    own, sheet = fill(store), send(store, xlsx(["SKU"], ["A"]))
    page.on("request", lambda request: asked.append(request.url))

    for path in (
        "/catalogue/", f"/catalogue/{own}/", "/spreadsheets/", f"/spreadsheets/{sheet.public_id}/",
        "/integrations/", "/personal-data/",
    ):  # fmt: skip
        page.goto(path)
        page.wait_for_load_state("networkidle")

    home = page.evaluate("location.origin")
    assert [url for url in asked if not url.startswith(home)] == []


def test_a_code_and_a_name_without_a_space_stay_within_a_telephone(
    merchant_page: Page, store: Store
) -> None:
    sku = "CAMISETA-ALGODAO-MASCULINA-AZUL-MARINHO-GG-2026"
    product = create_product(store, {"sku": sku, "name": "Refrigerador" * 5}, None)
    merchant_page.set_viewport_size(NARROW)

    for path in ("/catalogue/", f"/catalogue/{product.public_id}/"):
        merchant_page.goto(path)

        assert not merchant_page.evaluate(
            "[document.documentElement, ...document.querySelectorAll('.scroll')]"
            ".some((each) => each.scrollWidth > each.clientWidth)"
        )


def test_what_is_wrong_in_a_long_form_is_in_sight(merchant_page: Page, store: Store) -> None:
    product = create_product(store, {"sku": "CAN", "name": "Caneca"}, None)
    merchant_page.set_viewport_size(NARROW)
    merchant_page.goto(f"/catalogue/{product.public_id}/")

    merchant_page.fill("[name=price]", "abc")
    merchant_page.click("main button:has-text('Salvar')")

    complaint = merchant_page.locator("[role=alert]:focus")
    assert complaint.inner_text() == "abc não é um número."
    top = complaint.evaluate("(each) => each.getBoundingClientRect().top")
    assert 0 < top < NARROW["height"]
