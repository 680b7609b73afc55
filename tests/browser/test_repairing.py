"""Finding out what went wrong and mending it, and the whole way through by the keyboard."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from connectors.admin.asking import page_of
from connectors.models import Activation, Brake, Failure, Run
from connectors.trouble.originals import covered
from tests.browser.conftest import NARROW, WIDE
from tests.browser.keyboard import skips, walk
from tests.browser.test_activations import choose_app, save
from tests.conftest import make_managed
from tests.connectors.day import Day

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Shot = Callable[[str], None]


@pytest.fixture
def failed(day: Day) -> Failure:
    rocky = make_managed(day.store, "rocky", "https://loja.example", {"token": "token-0123456"})
    run = Run.objects.create(
        activation=rocky, ability="ProductSource", flow="products", seen=40, changed=38, failed=2,
        outcome="partial", expires_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip
    failures = [
        Failure.objects.create(
            activation=rocky, run=run, flow="products", ability="ProductSource", record_id=sku,
            kind="rejected", cause="missing_data", reason="A plataforma não informou o preço.",
            retry_at=timezone.now() + timedelta(hours=1),
            **covered({"sku": sku, "name": "Caneca azul de porcelana", "price": None}),
        )
        for sku in ("CAN-07", "CAN-08")
    ]  # fmt: skip
    return failures[0]


def test_why_and_repair(page: Page, day: Day, failed: Failure, shot: Shot) -> None:
    page.goto("/admin/why/")
    shot("0-why-empty")
    page.goto(f"/admin/why/?store={day.store.pk}&q=CAN-07")
    shot("1-why")
    page.goto(f"/admin/connectors/run/{failed.run_id}/change/")
    shot("2-run")
    page.goto("/admin/connectors/failure/")
    shot("3-failures")
    page.goto(f"/admin/connectors/failure/{failed.pk}/change/")
    expect(page.get_by_text("A plataforma não informou o preço.").first).to_be_visible()
    shot("4-failure")


def test_the_date_until_which_a_credential_is_good(page: Page, day: Day, shot: Shot) -> None:
    rocky = make_managed(day.store, "rocky", "https://loja.example", {"token": "token-0123456"})

    page.goto(f"/admin/connectors/activation/{rocky.pk}/change/")
    shot("0-activation")
    field = page.get_by_label("Vale até")
    expect(field).to_be_visible()


def test_an_activation_goes_by_keyboard_alone(page: Page, day: Day) -> None:
    page.goto("/admin/connectors/connector/apps/")
    assert skips(page)
    assert walk(page) == []

    choose_app(page, day.store, "Rocky E-Commerce", lambda name: None)
    assert walk(page) == []
    save(page)
    page.get_by_role("button", name="Gerar e ver aqui").wait_for()
    assert walk(page) == []
    page.get_by_role("button", name="Gerar e ver aqui").press("Enter")
    page.locator("[data-credential]").first.wait_for()
    assert walk(page) == []
    page.get_by_role("link", name="Já copiei: salvar e avançar").press("Enter")
    page.wait_for_load_state()
    assert walk(page) == []

    assert Activation.objects.get(connector__slug="rocky").store == day.store


def test_repair_goes_by_keyboard_alone(page: Page, day: Day, failed: Failure) -> None:
    for path in (
        f"/admin/why/?store={day.store.pk}&q=CAN-07",
        f"/admin/connectors/failure/{failed.pk}/change/",
    ):
        page.goto(path)
        assert skips(page), path
        assert walk(page) == [], path


def test_wide_fields_and_long_words_stay_within_the_window(
    page: Page, day: Day, operator: User
) -> None:
    olist = make_managed(
        day.store, "olist", "https://erp.example", {"integrator_id": "1", "token": "token-0123456"}
    )
    brake = Brake.objects.create(
        activation=olist, ability="StockSource", flow="stock", danger="zeroed", count=9, base=10,
        limit=30, sample=[["CAMISETA" * 10, "10", "0"]],
    )  # fmt: skip
    group = Group.objects.first()
    assert group is not None

    for row in (olist, brake, group, operator):
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            page.goto(page_of(row))
            page.wait_for_timeout(150)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, row
