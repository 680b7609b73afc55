"""What every list shows the same way: a row stays a row, open things come first, and an empty list
says what to do next."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import override

from connectors.admin.columns import moment, seconds_as_text, short, two_lines
from connectors.models import Brake, Failure, Incident
from tests.connectors.admin.test_lists import MAKERS, OURS, name_of


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=-20), "agora"),
        (timedelta(minutes=-3, seconds=-5), "há 3 min"),
        (timedelta(minutes=14, seconds=30), "em 14 min"),
        (timedelta(hours=-5, seconds=-5), "há 5 h"),
        (timedelta(days=-1, hours=-2), "há 1 dia"),
        (timedelta(days=-4, hours=-2), "há 4 dias"),
    ],
)
def test_a_moment_is_told_by_its_distance_with_the_date_in_its_title(
    length: timedelta, text: str
) -> None:
    at = timezone.now() + length

    with override("pt-br"):
        shown = moment(at)

    assert shown is not None
    assert strip_tags(shown) == text
    assert f'title="{timezone.localtime(at):%d/%m/%Y %H:%M}"' in shown


def test_what_was_long_ago_is_told_by_its_date() -> None:
    at = timezone.now() - timedelta(days=90)

    with override("pt-br"):
        shown = moment(at)

    assert strip_tags(shown or "") == f"{timezone.localtime(at):%d/%m/%Y}"
    assert moment(None) is None


def test_a_text_is_cut_and_whole_in_its_title() -> None:
    shown = short('<b>"longo"</b>')

    assert "truncate" in shown
    assert 'title="&lt;b&gt;&quot;longo&quot;&lt;/b&gt;"' in shown
    assert unescape(strip_tags(shown)) == '<b>"longo"</b>'
    assert strip_tags(two_lines("a", "")) == "a"


def test_an_interval_is_told_as_people_say_it() -> None:
    texts = [seconds_as_text(seconds) for seconds in (30, 600, 3600, 5400)]

    assert texts == ["30 s", "10 min", "1 h", "1 h 30 min"]


@pytest.mark.parametrize(
    ("model", "closed"),
    [
        (Failure, {"resolved_at": timezone.now()}),
        (Incident, {"ended_at": timezone.now()}),
    ],
    ids=["failures", "incidents"],
)
def test_what_is_over_is_shown_only_when_asked_for(
    model: type[models.Model], closed: dict[str, Any], admin_client: Client
) -> None:
    here, over = MAKERS[model](1), MAKERS[model](2)
    model._base_manager.filter(pk=over.pk).update(**closed)
    address = reverse(name_of(model, "changelist"))

    def shown(**query: str) -> set[Any]:
        return {row.pk for row in admin_client.get(address, query).context["cl"].result_list}

    assert shown() == {here.pk}
    assert shown(situation="nonsense") == {here.pk}
    assert shown(situation="all") == {here.pk, over.pk}


def test_a_brake_that_was_answered_is_shown_only_when_asked_for(admin_client: Client) -> None:
    MAKERS[Brake](1)
    address = reverse("admin:connectors_brake_changelist")

    assert len(admin_client.get(address).context["cl"].result_list) == 1
    answered = admin_client.get(address, {"situation": "answered"})
    assert len(answered.context["cl"].result_list) == 0


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_an_empty_list_says_what_to_do_next(model: Any, admin_client: Client) -> None:
    page_admin = admin.site._registry[model]
    address = reverse(name_of(model, "changelist"))

    page = admin_client.get(address)

    assert str(page_admin.when_empty).count(". ") >= 1
    if not page.context["cl"].result_list:
        assert str(page_admin.when_empty) in unescape(page.content.decode())
    lost = admin_client.get(address, {"q": "there is no such thing"}).content.decode()
    if page_admin.search_fields:
        assert "Limpar a busca e os filtros" in lost
