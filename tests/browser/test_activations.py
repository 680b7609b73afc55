"""Each connector, from an empty store to the first synchronised order, in a real browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from connectors.models import Activation, State, Store
from tests.connectors.day import MUG, TOKEN, Day, levels, run_queue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Shot = Callable[[str], None]

REPORTS = "invoiced"
UPSTREAM = {
    "client_id": "a" * 32,
    "client_secret": "client-secret-of-the-plugin",
    "api_user": "1461957000",
    "api_secret": "api-secret-of-the-account",
}


def choose_app(page: Page, store: Store, name: str, shot: Shot, mode: str = "") -> None:
    """By keyboard alone: the store, the app's name, activate."""
    page.goto("/admin/connectors/connector/apps/")
    page.locator(".select2-selection").focus()
    page.keyboard.press("Enter")
    page.keyboard.type(store.name)
    page.locator(".select2-results__option--highlighted", has_text=store.name).wait_for()
    page.keyboard.press("Enter")
    page.get_by_label("Nome do aplicativo").fill(name)
    page.get_by_label("Nome do aplicativo").press("Enter")
    app = page.locator(".apps > li").filter(has=page.get_by_role("heading", name=name, exact=True))
    expect(app.get_by_text("Não habilitado para esta loja")).to_be_visible()
    assert f"store={store.pk}" in page.url
    shot("0-apps")
    app.get_by_role("link", name="Ativar").press("Enter")
    shot("1-start")
    if mode:
        page.locator(f"input[name=mode][value={mode}]").check()
    page.get_by_role("button", name="Começar").press("Enter")


def save(page: Page) -> None:
    page.get_by_role("button", name="Salvar e avançar").press("Enter")


def issue(page: Page, shot: Shot) -> dict[str, str]:
    page.get_by_role("button", name="Gerar e ver aqui").press("Enter")
    shot("4-values")
    shown = {
        str(each.get_attribute("data-credential")): each.inner_text()
        for each in page.locator("[data-credential]").all()
    }
    page.get_by_role("link", name="Já copiei: salvar e avançar").press("Enter")
    return shown


def test_connection(page: Page, shot: Shot) -> None:
    """The queue runs the test while the page waits; the page finds out by itself."""
    page.get_by_role("button", name="Testar conexão").press("Enter")
    expect(page.get_by_text("Testando…")).to_be_visible()
    run_queue()
    expect(page.get_by_text("O endereço responde e aceitou as credenciais.")).to_be_visible()
    shot("7-tested")


test_connection.__test__ = False  # type: ignore[attr-defined]


def conclude(page: Page) -> Activation:
    page.get_by_role("button", name="Concluir").press("Enter")
    expect(page.get_by_text("Ativação concluída.")).to_be_visible()
    run_queue()
    return Activation.objects.latest("pk")


def partner_calls(page: Page, day: Day, shop: Any, shown: dict[str, str], shot: Shot) -> None:
    """He exports his catalogue; the page that waits says so; the first order comes to him."""
    shot("6-waiting")
    if shown:
        shop.control("settings", shown)
    shop.control("put_product", MUG)
    shop.work()
    page.reload()
    expect(page.get_by_text("A integração está ativa.")).to_be_visible()
    page.get_by_role("button", name="Testar conexão").press("Enter")
    expect(page.get_by_text("O parceiro entrou em")).to_be_visible()
    shot("7-tested")
    conclude(page)
    order = day.place_order("approved")
    shop.work()
    assert order.public_id in shop.orders


@pytest.mark.parametrize(
    ("slug", "name"), [("rocky", "Rocky E-Commerce"), ("otimo", "Ótimo Gestor")]
)
def test_by_form(page: Page, day: Day, shot: Shot, slug: str, name: str) -> None:
    shop = day.open_shop(reports=REPORTS)

    choose_app(page, day.store, name, shot)
    expect(page.get_by_label("URL do pluggin")).to_have_value(f"https://{day.store.domain}")
    page.get_by_label("URL do pluggin").fill("isto não é um endereço")
    save(page)
    expect(page.locator(".field.wrong .error")).to_be_visible()
    shot("2-wrong")
    page.get_by_label("URL do pluggin").fill(day.url_of(shop))
    page.get_by_label("Nome personalizado").fill("Minha loja")
    save(page)
    shot("3-credentials")
    shown = issue(page, shot)

    partner_calls(page, day, shop, shown, shot)


def test_a_double_click_is_one_and_the_operator_comes_to_the_partners_site(
    page: Page, day: Day, shot: Shot
) -> None:
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    shop = day.open_shop(reports=REPORTS)
    choose_app(page, day.store, "Webstore", shot)
    page.get_by_label("URL do pluggin").fill(day.url_of(shop))
    save(page)
    expect(page.get_by_role("button", name="Gerar e ver aqui")).to_be_visible()
    sent.clear()

    page.get_by_role("button", name="Gerar e ver aqui").dblclick(delay=40)

    expect(page.locator("[data-credential]").first).to_be_visible()
    assert len(sent) == 1
    page.goto(f"/admin/connectors/activation/{Activation.objects.latest('pk').pk}/open/")
    page.locator("form button[type=submit]").last.click()
    page.wait_for_url("**pluggtocode=*")


def test_webstore(page: Page, day: Day, shot: Shot, operator: Any) -> None:
    shop = day.open_shop(reports=REPORTS)
    day.store.members.add(operator)  # who is both spares the test a second browser

    choose_app(page, day.store, "Webstore", shot)
    page.get_by_label("URL do pluggin").fill(day.url_of(shop))
    save(page)
    shown = issue(page, shot)
    shop.control("settings", {name: shown[name] for name in ("client_id", "client_secret")})
    expect(page.get_by_text("Esperando o lojista")).to_be_visible()
    shot("5-merchant")
    step = page.url
    page.goto("/integrations/")
    assert "quase concluída" in page.content()
    shot("5-merchants-page")
    page.get_by_role("button", name="clique para concluir").press("Enter")
    page.wait_for_url("**pluggtocode=*")
    page.goto(step)
    page.get_by_role("link", name="Avançar").press("Enter")

    partner_calls(page, day, shop, {}, shot)


def test_linx(page: Page, day: Day, shot: Shot) -> None:
    shop = day.open_shop(reports=REPORTS)

    choose_app(page, day.store, "Linx Commerce V2", shot)
    shot("2-acquired")
    for _fact in range(4):
        page.get_by_role("button", name="Sim, já está feito").press("Enter")
    page.get_by_label("URL do pluggin").fill(day.url_of(shop))
    save(page)
    shown = issue(page, shot)
    page.get_by_label("CNPJ do intermediador").fill("12.ABC.345/01DE-35")
    shot("5-channel")
    save(page)

    partner_calls(page, day, shop, shown, shot)


def test_pluga(page: Page, day: Day, shot: Shot) -> None:
    tools = day.open("tools", hub=f"{day.hub}/api")

    choose_app_again(page, day.store, "Pluga", shot)
    page.get_by_label("Nome do pluggin").fill("Planilhas")
    save(page)
    shown = issue(page, shot)
    shot("5-emails")
    save(page)
    tools.control("settings", shown)
    placed = tools.control(
        "place_order",
        {"status": "approved", "items": [{"sku": "CANECA", "quantity": 1, "price": 1}]},
    )
    tools.work()
    page.reload()
    expect(page.get_by_text("A integração está ativa.")).to_be_visible()
    activation = conclude(page)
    shot("8-further")
    save(page)

    assert activation.store.orders.filter(original_id=placed["id"]).exists()


def choose_app_again(page: Page, store: Store, name: str, shot: Shot) -> None:
    """For an app of which the store has an account already."""
    page.goto(f"/admin/connectors/connector/apps/?store={store.pk}&q={name}")
    shot("0-apps")
    page.get_by_role("link", name="Ativar").first.press("Enter")
    page.get_by_role("button", name="Começar").press("Enter")


def test_olist(page: Page, day: Day, shot: Shot) -> None:
    erp = day.open("tiny", token=TOKEN)
    erp.control("plan", {"per_minute": 6000})
    erp.control("put_product", MUG)

    choose_app(page, day.store, "Olist ERP", shot)
    page.get_by_label("Identificador do integrador").fill("12345")
    page.get_by_label("Token da API v2").fill(TOKEN)
    page.get_by_label("URL do pluggin").fill(day.url_of(erp))
    shot("2-record")
    save(page)
    expect(page.locator("[data-address]")).to_contain_text("/webhooks/")
    shot("3-address")
    page.get_by_role("button", name="Já informei").press("Enter")
    page.get_by_role("button", name="Sim, já está feito").press("Enter")
    test_connection(page, shot)
    page.get_by_label("Mostrar uma prévia").uncheck()
    activation = conclude(page)
    shot("8-further")
    save(page)

    first_order_goes_down(day, activation, erp)


def test_pluggto(page: Page, day: Day, shot: Shot) -> None:
    hub = day.open("hub", **UPSTREAM)

    choose_app(page, day.store, "Plugg.to", shot)
    page.get_by_role("button", name="Sim, já está feito").press("Enter")
    for key, label in (("client_id", "Client ID"), ("client_secret", "Client Secret"),
                       ("api_user", "API User"), ("api_secret", "API Secret")):  # fmt: skip
        page.get_by_label(label).fill(UPSTREAM[key])
    page.get_by_label("URL do pluggin").fill(day.url_of(hub))
    save(page)
    shot("3-address")
    page.get_by_role("button", name="Já informei").press("Enter")
    test_connection(page, shot)
    activation = conclude(page)

    items = [{"sku": "CANECA", "quantity": 1, "price": 39.9}]
    hub.control("place_order", {"items": items, "status": "approved"})
    day.run_flows(activation)
    assert day.store.orders.filter(source=activation).count() == 1


@pytest.mark.parametrize(
    "name", ["Rocky E-Commerce", "Webstore", "Linx Commerce V2", "Ótimo Gestor"]
)
def test_managed(page: Page, day: Day, shot: Shot, name: str) -> None:
    platform = day.open_platform(reports=REPORTS)
    platform.control("put_product", MUG)

    choose_app(page, day.store, name, shot, mode="managed")
    while "já está feito" in page.content():
        page.get_by_role("button", name="Sim, já está feito").press("Enter")
        page.wait_for_load_state()
    page.get_by_label("URL do pluggin").fill(day.url_of(platform))
    save(page)
    page.get_by_label("Token do contrato de loja").fill(TOKEN)
    save(page)
    if "CNPJ do intermediador" in page.content():
        save(page)
    test_connection(page, shot)
    page.get_by_label("Mostrar uma prévia").uncheck()
    activation = conclude(page)

    first_order_goes_down(day, activation, platform)


def first_order_goes_down(day: Day, activation: Activation, platform: Any) -> None:
    activation.refresh_from_db()
    assert activation.state == State.ACTIVE
    day.run_flows(activation)
    day.run_flows(activation)
    if activation.spec.sends_catalogue:
        assert "CANECA" in levels(day.store)
    order = day.place_order("approved")
    day.run_flows(activation)
    assert order.links.exclude(external_id="").filter(activation=activation).exists()


def test_a_browser_closed_in_the_middle_loses_nothing(page: Page, day: Day, shot: Shot) -> None:
    choose_app(page, day.store, "Linx Commerce V2", shot)
    for _fact in range(2):
        page.get_by_role("button", name="Sim, já está feito").press("Enter")
    expect(page.get_by_role("heading", name="Implantação")).to_be_visible()

    again = page.context.new_page()
    page.close()
    again.goto(f"/admin/connectors/connector/apps/?store={day.store.pk}")
    again.get_by_role("link", name=re.compile("Linx Commerce V2")).first.press("Enter")

    expect(again.get_by_role("heading", name="Implantação")).to_be_visible()
    expect(again.get_by_text("Passo 3 de 8")).to_be_visible()
