"""What every connector must keep."""

from pathlib import Path

import pytest

import connectors
from connectors.contract import NoticeSource
from connectors.hub.wire import PRODUCT, SHIPMENT
from connectors.records import OrderStatus
from connectors.registry import SPECS
from connectors.sandbox.kinds import PLAYED_BY
from connectors.spec import Does, EverythingBut, Field, Mode, Spec, Through
from connectors.storecontract.client import StoreContract
from tests.connectors.conftest import abilities_of

CONNECTORS = Path(connectors.__file__).parent

every_connector = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def folder_of(spec: Spec) -> Path:
    return CONNECTORS / spec.slug


@every_connector
def test_a_client_has_the_abilities_that_its_flows_need(spec: Spec) -> None:
    abilities = abilities_of(spec.client) if spec.client else set()

    assert abilities == set(spec.flows)


@every_connector
def test_managed_mode_is_offered_exactly_where_there_is_a_client(spec: Spec) -> None:
    assert (Mode.MANAGED in spec.modes) == (spec.client is not None)


@every_connector
def test_credentials_are_asked_for_exactly_in_managed_mode(spec: Spec) -> None:
    assert (Mode.MANAGED in spec.modes) == bool(spec.credentials)


@every_connector
def test_a_managed_connector_has_an_address_to_be_called_at(spec: Spec) -> None:
    activating = spec.activating

    asked = [name for step in activating.steps_in(Mode.MANAGED) for name in step.fields]

    assert Mode.MANAGED not in spec.modes or (activating.url_required and "plugin_url" in asked)


@every_connector
def test_who_rings_is_given_the_address_to_ring_at(spec: Spec) -> None:
    rings = spec.client is not None and issubclass(spec.client, NoticeSource)

    steps = spec.activating.steps_in(Mode.MANAGED)

    assert (Does.ADDRESS in {step.does for step in steps}) == rings, "see steps.RING_AT"


@every_connector
def test_whoever_has_an_api_of_his_own_is_played_in_the_sandbox(spec: Spec) -> None:
    has_own = spec.client is not None and not issubclass(spec.client, StoreContract)

    assert (spec.slug in PLAYED_BY) == has_own, "see connectors/sandbox/kinds.py"


@every_connector
def test_product_fields_that_are_named_exist(spec: Spec) -> None:
    excluded = spec.cannot_send
    named = excluded.fields if isinstance(excluded, EverythingBut) else excluded

    assert named | (spec.locks or frozenset()) <= set(PRODUCT)


@every_connector
def test_reports_name_statuses_and_shipment_fields_that_exist(spec: Spec) -> None:
    for report in spec.reports:
        assert report.statuses <= set(OrderStatus)
        assert set(report.fields) <= set(SHIPMENT)


@every_connector
def test_only_who_takes_orders_reports_on_them(spec: Spec) -> None:
    assert bool(spec.consumes) == (spec.orders is not None and not spec.is_channel)
    assert spec.consumes or not spec.reports


@every_connector
def test_what_is_experimental_says_so_in_each_of_its_modes(spec: Spec) -> None:
    said = [str(text).startswith("experimental") for text in spec.modes.values()]

    assert said == [bool(spec.unavailable)] * len(spec.modes)


@every_connector
def test_keys_of_settings_and_of_credentials_are_unique(spec: Spec) -> None:
    settings = [setting.key for setting in spec.settings]
    credentials = [field.key for field in spec.credentials]

    assert len(settings) == len(set(settings))
    assert len(credentials) == len(set(credentials))


@every_connector
def test_a_setting_with_choices_begins_with_one_of_them(spec: Spec) -> None:
    for setting in spec.settings:
        assert (setting.field is Field.CHOICE) == bool(setting.choices)
        assert not setting.choices or setting.default in dict(setting.choices)


@every_connector
def test_contacts_have_an_address_where_their_kind_has_one(spec: Spec) -> None:
    for contact in spec.contacts:
        assert (contact.through in {Through.EMAIL, Through.SITE}) == bool(contact.address)


@every_connector
def test_the_operator_finds_the_same_sections_in_every_readme(spec: Spec) -> None:
    lines = (folder_of(spec) / "README.md").read_text().splitlines()

    sections = [line for line in lines if line.startswith("## ")]

    assert lines[0] == f"# {spec.name}"
    assert sections == ["## Credentials", "## Limits", "## Quirks"]


@every_connector
def test_its_details_say_how_it_is_activated(spec: Spec) -> None:
    assert spec.activating.described != []


@every_connector
def test_every_step_of_its_activation_asks_for_what_it_has(spec: Spec) -> None:
    for mode in spec.modes:
        steps = spec.activating.steps_in(mode)
        keys = [step.key for step in steps]
        settings = {each.key: each for each in spec.settings_in(mode)}
        asked = [name for step in steps for name in step.fields]
        before = [step.does for step in steps].index(Does.CHECK)

        assert len(keys) == len(set(keys))
        assert set(asked) <= {"name", "custom_name", "plugin_url", "credentials", *settings}
        assert ("credentials" in asked) == (mode == Mode.MANAGED)
        assert (Does.ISSUE in {step.does for step in steps}) == (mode == Mode.PARTNER)
        early = [name for step in steps[:before] for name in step.fields if name in settings]
        assert not [name for name in early if settings[name].after_first_save]
