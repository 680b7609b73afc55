"""Which test proves which cell of the design's table, for the platforms that call us: every row of
every column has one."""

from importlib import import_module

import pytest

from tests.connectors.test_specification_table import SYSTEM_NAMES, SYSTEMS, find

ROWS = [row[0] for row in SYSTEMS[1:]]
COLUMNS = {find(name).slug for name in SYSTEM_NAMES}
PROVED = {
    "rocky": {
        "direction of catalogue": "test_the_hubs_catalogue_never_goes_back",
        "direction of orders": "test_orders_never_come_back_from_it",
        "products": "test_it_exports_simple_products_and_products_with_variations",
        "product cadence": "test_or_as_often_as_the_client_sets_it",
        "price cadence": "test_the_portal_expects_it_every_ten_and_every_five_minutes",
        "stock cadence": "test_managed_each_flow_waits_for_its_turn",
        "fields it cannot send": "test_what_it_cannot_send_is_the_merchants_and_is_never_blanked",
        "locks (travas)": "test_it_has_no_locks_so_whatever_it_sends_is_written",
        "orders consumed": "test_it_takes_pending_and_approved_orders_and_no_others",
        "cancels when the hub cancels": (
            "test_a_taken_order_is_cancelled_there_when_the_hub_cancels_it"
        ),
        "approves a pending order when the hub approves it": (
            "test_a_pending_order_is_approved_there_when_the_hub_approves_it"
        ),
        "reports the invoice": "test_the_invoice_then_the_tracking_and_then_no_more",
        "reports tracking": "test_the_invoice_then_the_tracking_and_then_no_more",
        "activation": (
            "test_the_operator_finds_it_by_name_and_the_shown_values_let_the_partner_in"
        ),
        "public contacts": "test_its_details_show_its_contacts_and_support_records_its_own",
        "special": "test_its_details_show_its_contacts_and_support_records_its_own",
    },
    "webstore": {
        "direction of catalogue": "test_the_hubs_catalogue_never_goes_back",
        "direction of orders": "test_orders_never_come_back_from_it",
        "products": "test_it_sends_its_catalogue_with_prices_and_stock",
        "product cadence": (
            "test_the_portal_expects_its_catalogue_every_fifteen_minutes_and_nobody_sets_that"
        ),
        "price cadence": (
            "test_the_portal_expects_its_catalogue_every_fifteen_minutes_and_nobody_sets_that"
        ),
        "stock cadence": (
            "test_the_portal_expects_its_catalogue_every_fifteen_minutes_and_nobody_sets_that"
        ),
        "fields it cannot send": "test_it_may_send_every_field_and_locks_none",
        "locks (travas)": "test_it_may_send_every_field_and_locks_none",
        "orders consumed": "test_it_takes_approved_orders_only_and_sees_no_pending_one",
        "cancels when the hub cancels": "test_a_cancelled_order_leaves_its_list",
        "approves a pending order when the hub approves it": (
            "test_it_hears_of_a_pending_order_only_when_the_hub_approves_it"
        ),
        "reports the invoice": "test_the_invoice_and_then_shipped_with_tracking",
        "reports tracking": "test_shipping_informed_at_once_with_invoice_and_dispatch",
        "activation": "test_the_redirect_with_a_code_lets_the_app_in_without_user_or_password",
        "public contacts": "test_its_details_show_its_contacts",
        "special": "test_its_details_show_its_contacts",
    },
    "linx": {
        "direction of catalogue": "test_the_hubs_own_changes_of_the_catalogue_do_not_go_there",
        "direction of orders": "test_it_creates_no_orders",
        "products": "test_it_sends_products_with_their_custom_attributes",
        "product cadence": "test_the_portal_expects_a_full_pass_every_day",
        "price cadence": "test_prices_and_stock_come_when_they_change",
        "stock cadence": "test_prices_and_stock_come_when_they_change",
        "fields it cannot send": "test_every_field_is_its_to_send_and_it_locks_none",
        "locks (travas)": "test_every_field_is_its_to_send_and_it_locks_none",
        "orders consumed": "test_every_new_order_is_rung_fetched_and_queued_whatever_its_status",
        "cancels when the hub cancels": (
            "test_approval_and_cancellation_are_status_updates_in_its_queue"
        ),
        "approves a pending order when the hub approves it": (
            "test_approval_and_cancellation_are_status_updates_in_its_queue"
        ),
        "reports the invoice": "test_it_reports_invoice_tracking_and_delivery",
        "reports tracking": "test_it_reports_the_statuses_freely_in_one_step_or_in_several",
        "activation": "test_an_account_is_added_and_its_channel_filled_in",
        "public contacts": "test_its_details_show_how_it_is_activated_and_reached",
        "special": "test_the_orders_own_intermediary_goes_before_the_channels",
    },
    "otimo": {
        "direction of catalogue": "test_the_hubs_catalogue_does_not_go_there",
        "direction of orders": "test_it_creates_no_orders",
        "products": "test_it_creates_changes_and_deletes_no_product",
        "product cadence": (
            "test_the_portal_expects_prices_and_stock_every_five_minutes_and_no_products"
        ),
        "price cadence": (
            "test_the_portal_expects_prices_and_stock_every_five_minutes_and_no_products"
        ),
        "stock cadence": (
            "test_the_portal_expects_prices_and_stock_every_five_minutes_and_no_products"
        ),
        "fields it cannot send": (
            "test_it_sends_price_and_stock_and_nothing_else_of_what_it_sends_is_written"
        ),
        "locks (travas)": (
            "test_it_sends_price_and_stock_and_nothing_else_of_what_it_sends_is_written"
        ),
        "orders consumed": "test_it_takes_approved_orders_only",
        "cancels when the hub cancels": "test_it_is_not_asked_to_approve_or_to_cancel",
        "approves a pending order when the hub approves it": (
            "test_it_is_not_asked_to_approve_or_to_cancel"
        ),
        "reports the invoice": "test_with_anything_else_the_whole_report_is_refused",
        "reports tracking": (
            "test_the_merchants_own_tracking_completes_the_order_and_the_channel_is_told"
        ),
        "activation": "test_it_is_switched_on_with_a_custom_name_and_its_keys_let_it_in",
        "public contacts": "test_its_details_show_where_it_is_reached_and_what_is_special",
        "special": "test_the_codes_of_the_de_para_are_the_erps",
    },
}


@pytest.mark.parametrize("slug", PROVED)
def test_every_row_of_the_column_is_proved_by_a_test_that_exists(slug: str) -> None:
    module = import_module(f"tests.connectors.{slug}.test_day")

    missing = {name for name in PROVED[slug].values() if not hasattr(module, name)}

    assert slug in COLUMNS
    assert list(PROVED[slug]) == ROWS
    assert missing == set()
