"""Previews and daily comparisons, as the operator sees and answers them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.comparisons import follow_clock_back
from connectors.models import Activation, Comparison, Difference
from connectors.spec import Mode
from tests.conftest import make_activation, make_managed
from tests.connectors.admin.conftest import activated, form_on, page_of, somebody_who_may

LIST = "/admin/connectors/comparison/"
DIFFERENCES = "/admin/connectors/difference/"
HUB = {"client_id": "a", "client_secret": "b", "api_user": "c", "api_secret": "d"}


@pytest.fixture
def preview(store) -> Comparison:
    activation = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})
    preview = activation.comparisons.create(
        purpose="preview", holds=True, counts={"products": {"theirs": 3, "create": 2}}
    )
    for sku, name in (("CAN-07", "Caneca"), ("=1+1", "@fórmula")):
        preview.differences.create(flow="products", kind="create", record_id=sku, theirs=name)
    return preview


def end(preview: Comparison) -> None:
    Comparison.objects.filter(pk=preview.pk).update(ended_at=timezone.now())


def test_a_new_managed_integration_shows_a_preview_first(admin_client, store):
    activated(admin_client, "rocky", store, Mode.MANAGED, preview="on")

    comparison = Comparison.objects.get()
    assert (comparison.purpose, comparison.holds) == ("preview", True)
    assert comparison.asked_by.username == "operadora"


@pytest.mark.parametrize(("slug", "mode"), [("rocky", Mode.PARTNER), ("pluggto", Mode.MANAGED)])
def test_where_nothing_is_fetched_there_is_none(admin_client, store, slug, mode):
    activated(admin_client, slug, store, mode, preview="on")

    assert Activation.objects.count() == 1
    assert not Comparison.objects.exists()


def test_the_operator_may_do_without(admin_client, store):
    activated(admin_client, "rocky", store, Mode.MANAGED)

    assert Activation.objects.count() == 1
    assert not Comparison.objects.exists()


def test_while_it_is_read_the_page_comes_again_by_itself(admin_client, preview):
    reading = admin_client.get(f"{LIST}{preview.pk}/change/")
    end(preview)
    ended = admin_client.get(f"{LIST}{preview.pk}/change/")

    assert reading.headers["Refresh"] == "3"
    assert "Refresh" not in ended.headers
    assert "Espera aprovação" in ended.content.decode()


def test_the_page_counts_and_leads_to_what_it_counted(admin_client, preview):
    page = admin_client.get(f"{LIST}{preview.pk}/change/").content.decode()
    assert "(&#x27;" not in page

    query = f"comparison__id__exact={preview.pk}&amp;flow__exact=products&amp;kind__exact=create"
    assert f'{DIFFERENCES}?{query}">2</a>' in page
    listed = admin_client.get(f"{DIFFERENCES}?{query.replace('&amp;', '&')}").content.decode()
    assert "Caneca" in listed


def test_it_is_approved_when_it_has_ended_and_not_before(admin_client, preview):
    early = admin_client.post(f"{LIST}{preview.pk}/approve/", follow=True).content.decode()
    end(preview)
    question = admin_client.get(f"{LIST}{preview.pk}/approve/")
    admin_client.post(f"{LIST}{preview.pk}/approve/")

    assert "ainda está sendo feita" in early
    assert question.status_code == 200
    preview.refresh_from_db()
    assert preview.approved_by.username == "operadora"
    assert not Comparison.objects.holding().exists()


def test_the_csv_opens_in_a_spreadsheet_and_holds_no_formula(admin_client, preview):
    answer = admin_client.get(f"{LIST}{preview.pk}/csv/")

    text = b"".join(answer.streaming_content).decode()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert text.splitlines()[1:] == [
        "Produtos;Falta aqui;CAN-07;;Caneca",
        "Produtos;Falta aqui;'=1+1;;'@fórmula",
    ]
    assert text.startswith("\ufefffluxo;")


def test_differences_are_asked_for_with_one_click(admin_client, preview):
    chosen = list(Difference.objects.values_list("pk", flat=True))

    page = admin_client.post(
        DIFFERENCES, {"action": "mend", "_selected_action": chosen}, follow=True
    )

    assert "Pedidas: 2." in page.content.decode()
    assert Difference.objects.to_do().count() == 2
    assert {each.asked_by.username for each in Difference.objects.all()} == {"operadora"}


@pytest.mark.parametrize(
    ("purpose", "flow", "kind", "button"),
    [
        ("channel", "products", "missing_there", "Enviar"),
        ("channel", "prices", "update", "Enviar"),
        ("channel", "products", "surplus", None),
        ("catalogue", "stock", "update", "Buscar de novo"),
        ("catalogue", "products", "missing_there", None),
        ("orders", "orders", "missing_there", "Enviar"),
    ],
)
def test_a_difference_has_the_button_that_mends_it(
    admin_client, preview, purpose, flow, kind, button
):
    comparison = preview.activation.comparisons.create(purpose=purpose)
    difference = comparison.differences.create(flow=flow, kind=kind, record_id="A")
    url = f"{DIFFERENCES}{difference.pk}/mend/"

    page = admin_client.get(DIFFERENCES, {"comparison__id__exact": comparison.pk}).content.decode()

    shown = re.findall(rf'formaction="{url}"[^>]*>([^<]+)</button>', page)
    assert shown == ([button] if button else [])
    admin_client.post(url)
    difference.refresh_from_db()
    assert (difference.asked_at is not None) == difference.is_mendable == bool(button)
    assert Difference.objects.mendable().filter(pk=difference.pk).exists() == bool(button)


def test_what_was_asked_for_has_no_button_any_more(admin_client, preview):
    difference = preview.differences.first()
    question = admin_client.get(f"{DIFFERENCES}{difference.pk}/mend/")
    difference.refresh_from_db()
    untouched = difference.asked_at is None

    page = admin_client.post(f"{DIFFERENCES}{difference.pk}/mend/", follow=True).content.decode()

    assert (question.status_code, untouched) == (200, True)
    assert "Pedidas: 1." in page
    assert f"{difference.pk}/mend/" not in page


def test_who_may_only_look_sees_no_button(preview):
    client = somebody_who_may("view_difference")
    url = f"{DIFFERENCES}{preview.differences.first().pk}/mend/"

    assert "formaction" not in client.get(DIFFERENCES).content.decode()
    assert client.post(url).status_code == 403


def test_both_sides_are_compared_any_time_from_the_integrations_page(admin_client, store):
    channel = make_managed(store, "pluggto", "https://api.plugg.to", HUB)
    compare = page_of(channel).replace("change/", "compare/")

    question = admin_client.get(compare)
    admin_client.post(compare)
    admin_client.post(compare)

    assert question.status_code == 200
    comparison = channel.comparisons.get()
    assert (comparison.purpose, comparison.asked_by.username) == ("channel", "operadora")


def test_where_no_catalogue_can_be_read_the_page_says_so(admin_client, store):
    partner = make_activation(store, "rocky")

    page = admin_client.post(page_of(partner).replace("change/", "compare/"), follow=True)

    assert "não tem catálogo que o portal possa ler" in page.content.decode()


def test_a_preview_is_made_any_time_from_the_integrations_page(admin_client, store):
    activation = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})

    question = admin_client.get(page_of(activation).replace("change/", "preview/"))
    admin_client.post(page_of(activation).replace("change/", "preview/"))

    assert question.status_code == 200
    comparison = activation.comparisons.get()
    assert (comparison.holds, comparison.asked_by.username) == (False, "operadora")


def test_where_nothing_is_fetched_the_page_says_so(admin_client, store):
    partner = make_activation(store, "rocky")

    page = admin_client.post(page_of(partner).replace("change/", "preview/"), follow=True)

    assert "não traz catálogo" in page.content.decode()


def test_who_may_only_look_may_not_approve(preview):
    end(preview)
    client = somebody_who_may("view_comparison")

    assert client.get(f"{LIST}{preview.pk}/change/").status_code == 200
    assert client.post(f"{LIST}{preview.pk}/approve/").status_code == 403
    assert client.get(f"{LIST}{preview.pk}/csv/").status_code == 403


def test_the_brakes_limits_are_settings_of_a_managed_catalogue(admin_client, store):
    activation = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})
    page = admin_client.get(page_of(activation)).content.decode()
    form = form_on(page)

    refused = admin_client.post(page_of(activation), form | {"setting_brake_zeroed": "101"})
    saved = admin_client.post(page_of(activation), form | {"setting_brake_zeroed": "45"})

    activation.refresh_from_db()
    assert form["setting_brake_moved"] == "30"
    assert (saved.status_code, refused.status_code) == (302, 200)
    assert activation.settings["brake_zeroed"] == 45


def test_the_latest_with_differences_and_those_that_hold_are_found_apart(
    admin_client, preview, store
):
    activation = make_managed(store, "rocky", "https://loja.example.com.br", {"token": "t"})
    end(preview)
    for purpose, found in (("catalogue", True), ("orders", False)):
        daily = activation.comparisons.create(purpose=purpose, ended_at=timezone.now())
        if found:
            daily.differences.create(flow="stock", kind="update", record_id="A")

    def listed(situation: str) -> list[str]:
        page = admin_client.get(LIST, {"situation": situation})
        return [each.purpose for each in page.context["cl"].result_list]

    assert listed("differing") == ["catalogue"]
    assert listed("holding") == ["preview"]
    assert listed("going_on") == []
    activation.comparisons.create(purpose="catalogue", ended_at=timezone.now())
    assert listed("differing") == []  # the newer one found nothing


def test_the_latest_is_the_latest_after_the_clock_was_put_back(store):
    activation, now = make_managed(store, "rocky", "", {"token": "t"}), timezone.now()
    old, new = (activation.comparisons.create(purpose="orders", ended_at=now) for _n in "12")
    old.differences.create(flow="orders", kind="update", record_id="A")
    for comparison, hours in ((old, -1), (new, 1)):
        Comparison.objects.filter(pk=comparison.pk).update(asked_at=now + timedelta(hours=hours))

    follow_clock_back(timedelta(hours=5))

    assert not Comparison.objects.differing(timezone.now()).exists()
