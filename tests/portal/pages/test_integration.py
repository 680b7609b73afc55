"""What a merchant sees and sets of his integrations, and asks support for."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from connectors.contract import ProductSource
from connectors.models import Act, Activation, Alert, Ask, Connector, Failure, Run, State, Store
from connectors.spec import Mode
from portal.pages.integration import SettingsForm
from portal.pages.mails import MailsForm
from tests.conftest import make_managed, make_partner, make_store
from tests.connectors.admin.conftest import activated

pytestmark = pytest.mark.django_db
URL = "https://loja.example"


@pytest.fixture
def rocky(store: Store) -> Any:
    return make_managed(store, "rocky", URL, {"token": "segredo"})


def test_a_merchant_asks_for_an_integration_once_and_support_is_told(
    page: Client, store: Store, merchant: User, settings: Any
) -> None:
    settings.ALERT_EMAILS = ["suporte@example.com"]
    connector = Connector.objects.get(slug="rocky")
    form = {"store": store.pk, "connector": connector.pk, "text": "Com urgência"}

    for _twice in range(2):
        page.post("/integrations/ask/", form)

    ask, alert = Ask.objects.get(), Alert.objects.get()
    assert (ask.store, ask.asked_by, ask.answered_at) == (store, merchant, None)
    assert "Com urgência" in alert.body
    assert "o suporte vai ativar" in page.get("/integrations/").content.decode()


def test_a_message_that_is_too_long_is_said_to_be_and_stays_on_the_page(
    page: Client, store: Store
) -> None:
    # A browser counts the end of a line as one character, and sends two.
    text = "Com urgência" + "\r\n" * 500
    connector = Connector.objects.get(slug="rocky")

    answer = page.post(
        "/integrations/ask/", {"store": store.pk, "connector": connector.pk, "text": f"{text}fim"}
    )

    html = answer.content.decode()
    assert "no máximo 1000 caracteres" in html
    assert "Com urgência" in html
    assert not Ask.objects.exists()


def test_who_was_logged_out_while_he_wrote_is_led_back_to_the_form(
    page: Client, merchant: User
) -> None:
    page.logout()
    login = page.post("/integrations/ask/", {"text": "Com urgência"})["Location"]

    typed = {"username": "lojista", "password": "senha-da-lojista"}
    answer = page.post(login, typed, follow=True)

    assert answer.redirect_chain[-1] == ("/integrations/", 302)


def test_nobody_asks_for_anothers_store_or_for_what_is_not_offered(
    page: Client, store: Store
) -> None:
    rocky = Connector.objects.get(slug="rocky")
    foreign = make_store()
    Connector.objects.filter(slug="webstore").update(enabled=False)

    page.post("/integrations/ask/", {"store": foreign.pk, "connector": rocky.pk})
    page.post(
        "/integrations/ask/",
        {"store": store.pk, "connector": Connector.objects.get(slug="webstore").pk},
    )

    assert not Ask.objects.exists()


def test_an_operator_marks_what_was_asked_as_seen_to(operator: User, store: Store) -> None:
    ask = Ask.objects.create(
        store=store, connector=Connector.objects.get(slug="rocky"), asked_by=operator
    )
    admin = Client()
    admin.force_login(operator)

    admin.post("/admin/connectors/ask/", {"action": "mark_answered", "_selected_action": [ask.pk]})

    ask.refresh_from_db()
    assert ask.answered_at


def test_sync_now_makes_the_flow_due_and_shows_that_it_goes(page: Client, rocky: Any) -> None:
    later = timezone.now() + timedelta(minutes=9)
    rocky.flows.update(due_at=later)
    flow = rocky.flows.get(ability=ProductSource.__name__)
    url = f"/integrations/{rocky.pk}/"
    assert "hx-get" not in page.get(url).content.decode()

    page.post(url, {"say": "start", "flow": flow.pk})

    flow.refresh_from_db()
    assert flow.due_at <= timezone.now()
    assert rocky.flows.filter(due_at=later).count() == rocky.flows.count() - 1
    part = page.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "<progress" in part


def test_a_partners_flow_is_not_ours_to_start(page: Client, store: Store) -> None:
    partner = make_partner(store, "rocky").activation
    Activation.objects.update(state=State.ACTIVE)
    before = list(partner.flows.values_list("due_at", flat=True))

    answer = page.post(
        f"/integrations/{partner.pk}/",
        {"say": "start", "flow": partner.flows.latest("pk").pk},
        follow=True,
    )

    assert "não é o portal que inicia" in answer.content.decode()
    assert "Sincronizar agora" not in answer.content.decode()
    assert list(partner.flows.values_list("due_at", flat=True)) == before


def test_another_integrations_flow_is_not_started_from_this_page(page: Client, rocky: Any) -> None:
    later = timezone.now() + timedelta(minutes=9)
    foreign = make_managed(make_store(), "rocky", URL, {"token": "segredo"})
    foreign.flows.update(due_at=later)

    page.post(f"/integrations/{rocky.pk}/", {"say": "start", "flow": foreign.flows.latest("pk").pk})

    assert set(foreign.flows.values_list("due_at", flat=True)) == {later}


def test_the_client_sets_his_cadence_within_its_bounds(page: Client, rocky: Any) -> None:
    url = f"/integrations/{rocky.pk}/"
    names = page.get(url).context["cadence_form"].fields
    good = {f"every-{name}": "7" for name in names}
    assert names

    page.post(url, {"say": "cadence", **good})
    refused = page.post(url, {"say": "cadence", **dict.fromkeys(good, "0")})

    assert set(rocky.flows.filter(ability__in=names).values_list("every", flat=True)) == {420}
    assert refused.context["cadence_form"].errors


def test_a_thousand_minutes_are_not_taken_for_one(page: Client, rocky: Any) -> None:
    url = f"/integrations/{rocky.pk}/"
    names = page.get(url).context["cadence_form"].fields

    refused = page.post(url, {"say": "cadence", **{f"every-{name}": "1.000" for name in names}})

    assert "Informe um número inteiro." in refused.content.decode()
    assert not rocky.flows.filter(ability__in=names, every=60).exists()


def test_what_the_merchant_sets_is_on_record_with_what_it_was_before(
    page: Client, merchant: User, rocky: Any
) -> None:
    url = f"/integrations/{rocky.pk}/"
    form = page.get(url).context["cadence_form"]
    known = {form.add_prefix(name): str(field.initial) for name, field in form.fields.items()}
    shown = {f"initial-{name}": minutes for name, minutes in known.items()}

    page.post(url, {"say": "cadence", **known, **shown, "every-ProductSource": "7"})
    page.post(url, {"say": "cadence", **known, **shown})

    changes = Act.objects.get(by=merchant, store=rocky.store).changes
    assert changes == {"Produtos: intervalo em minutos": ["10", "7"]}


def test_the_merchant_who_concludes_is_led_to_the_partner_and_on_record_once(
    page: Client, store: Store, merchant: User, admin_client: Client
) -> None:
    webstore, _shown = activated(
        admin_client, "webstore", store, Mode.PARTNER, until="merchant", plugin_url=URL
    )

    answers = [page.post("/integrations/", {"activation": webstore.pk}) for _time in range(2)]

    for answer in answers:
        assert answer["Location"].startswith(f"{webstore.plugin_url}?pluggtocode=")
    act = Act.objects.get(by=merchant)
    assert (act.store, act.object_id) == (store, str(webstore.pk))


def test_a_merchant_concludes_only_what_is_his_and_not_in_use_yet(
    page: Client, store: Store, admin_client: Client
) -> None:
    mine, others = (
        activated(admin_client, "webstore", each, Mode.PARTNER, until="merchant", plugin_url=URL)[0]
        for each in (store, make_store())
    )
    before = page.get("/integrations/").content.decode()

    answer = page.post("/integrations/", {"activation": others.pk})
    Activation.objects.filter(pk=mine.pk).update(first_called_at=timezone.now())

    assert answer["Location"] == "/integrations/"
    assert re.findall('name="activation" value="(.+?)"', before) == [str(mine.pk)]
    assert 'name="activation"' not in page.get("/integrations/").content.decode()


def test_he_also_concludes_from_the_page_that_says_what_was_wrong_with_a_request(
    page: Client, store: Store, admin_client: Client
) -> None:
    activated(admin_client, "webstore", store, Mode.PARTNER, until="merchant", plugin_url=URL)

    html = page.post("/integrations/ask/", {"store": "none"}).content.decode()

    form = next(form for form in html.split("<form ") if 'name="activation"' in form)
    assert 'action="/integrations/"' in form


def test_where_the_specification_fixes_the_cadence_there_is_none_to_set(
    page: Client, store: Store
) -> None:
    webstore = make_managed(store, "webstore", URL, {"token": "segredo"})

    answer = page.get(f"/integrations/{webstore.pk}/")

    assert not answer.context["cadence_form"].fields


def test_the_merchants_settings_are_his_and_internal_ones_only_shown(
    page: Client, store: Store, merchant: User
) -> None:
    linx = make_partner(store, "linx").activation
    url = f"/integrations/{linx.pk}/"
    html = page.get(url).content.decode()
    assert "Versão da loja" in html
    assert 'name="store_version"' not in html

    page.post(
        url, {"say": "settings", "intermediary_cnpj": "12.ABC.345/01DE-35", "store_version": "v1"}
    )

    linx.refresh_from_db()
    assert linx.settings["intermediary_cnpj"] == "12ABC34501DE35"
    assert linx.settings.get("store_version") != "v1"
    assert Act.objects.get(by=merchant).what == "Configurações alteradas pelo lojista."
    refused = page.post(url, {"say": "settings", "intermediary_cnpj": "1"})
    assert refused.context["settings_form"].errors["intermediary_cnpj"]


def test_an_old_page_writes_only_what_was_typed_into_it(page: Client, store: Store) -> None:
    linx = make_partner(store, "linx").activation
    url = f"/integrations/{linx.pk}/"
    shown = page.get(url).context["settings_form"]
    linx.settings["intermediary_cnpj"] = "12ABC34501DE35"
    linx.save()

    page.post(
        url, {"say": "settings", **{shown[name].html_initial_name: "" for name in shown.fields}}
    )

    linx.refresh_from_db()
    assert 'name="initial-intermediary_cnpj"' in str(shown["intermediary_cnpj"])
    assert linx.settings["intermediary_cnpj"] == "12ABC34501DE35"


@pytest.mark.parametrize("form", [SettingsForm, MailsForm])
def test_an_address_that_support_changes_meanwhile_stays(
    page: Client, store: Store, form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pluga = make_partner(store, "pluga").activation
    mine, address = Activation.objects.filter(pk=pluga.pk), "https://nova.example"
    clean = form.clean
    monkeypatch.setattr(form, "clean", lambda self: mine.update(plugin_url=address) and clean(self))

    url = f"/integrations/{pluga.pk}/"
    page.post(f"{url}mails/" if form is MailsForm else url, {"say": "settings"})

    assert mine.get().plugin_url == address


def test_anothers_integration_is_as_unknown_as_one_that_nobody_has(page: Client) -> None:
    foreign = make_partner(make_store(), "rocky").activation

    for pk in (foreign.pk, 999_999):
        assert page.get(f"/integrations/{pk}/").status_code == 404
        assert page.post(f"/integrations/{pk}/", {"say": "start"}).status_code == 404


def test_a_merchant_sees_how_far_a_run_has_come_and_what_did_not_pass(
    page: Client, rocky: Any
) -> None:
    flow = rocky.flows.get(ability=ProductSource.__name__)
    rocky.flows.update(due_at=timezone.now() + timedelta(hours=1))
    run = Run.objects.create(
        activation=rocky, ability=flow.ability, flow=flow.flow, seen=120, changed=7, failed=1,
        expires_at=timezone.now() + timedelta(minutes=5),
    )  # fmt: skip
    Failure.objects.create(
        activation=rocky, flow="products", record_id="CAN-07", kind="rejected",
        reason="sem preço", cause="missing_data",
    )  # fmt: skip
    foreign = make_managed(make_store(), "rocky", URL, {"token": "segredo"})
    Failure.objects.create(
        activation=foreign, flow="products", record_id="ALHEIO", kind="rejected", reason="x"
    )
    Failure.objects.create(
        activation=rocky, flow="products", record_id="RESOLVIDA", kind="rejected", reason="x",
        resolved_at=timezone.now(),
    )  # fmt: skip

    going = page.get(f"/integrations/{rocky.pk}/").content.decode()
    Run.objects.filter(pk=run.pk).update(
        ended_at=timezone.now(), outcome="partial", reason="Um ficou"
    )
    over = page.get(f"/integrations/{rocky.pk}/").content.decode()

    assert "Até agora: 120 lidos, 7 mudaram, 1 falharam" in going
    assert "<progress" in going
    assert "Concluída com falhas: 120 lidos, 7 mudaram, 1 falharam · Um ficou" in over
    assert "<progress" not in over
    for html in (going, over):
        assert "CAN-07" in html
        assert "sem preço" in html
        assert "Quem resolve:" in html
        assert "ALHEIO" not in html
        assert "RESOLVIDA" not in html
