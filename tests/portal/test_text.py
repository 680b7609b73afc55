import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory

from connectors.models import Store
from portal.text import AddressesAreText

ADDRESSES = [
    "/orders/%00/", "/catalogue/%00/", "/spreadsheets/%00/", "/orders/?channel=%00", "/status/%00/",
    "/admin/connectors/activation/%00/change/", "/admin/connectors/activation/?state=%00",
    "/admin/connectors/activation/?q=%00", "/admin/connectors/activation/add/?connector=%00",
    "/admin/connectors/run/?outcome=%00", "/admin/search/?s=%00",
    "/admin/autocomplete/?term=%00&app_label=catalog&model_name=skumapping&field_name=product",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_no_text_is_one_of_nothing(
    address: str, operator: User, store: Store
) -> None:
    store.members.add(operator)
    client = Client()
    client.force_login(operator)

    assert client.get(address).status_code in (200, 302, 404)


def test_no_page_is_asked_for_a_nul() -> None:
    asked = AddressesAreText(lambda request: HttpResponse(f"{request.path_info} {request.GET}"))
    request = RequestFactory().get("/orders/%00/?q=a%00")

    assert "\\x00" not in repr(asked(request).content.decode())
