"""The crash test's story, from an empty database to the accounts."""

import time
from pathlib import Path

import requests
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from catalog.models import Product
from connectors.messages.doorbells import doorbell_secret
from connectors.models import ActivationFlow, Failure, Run
from connectors.runs.dispatch import make_due
from portal.schedules import install
from tests.postgres import free_port
from tests.soak.accounts import Account, draw_up, orders_of, table
from tests.soak.crashes import Crashes
from tests.soak.database import Database
from tests.soak.feeding import Feeder
from tests.soak.processes import Processes
from tests.soak.world import FAULTS, HUB, SKUS, STOCKED, World, build

BEGIN_SECONDS = 90
# What was sold in ten minutes is read at the pace of an account's calls.
SETTLE_SECONDS = 600
CALM_SECONDS = 5  # even accounts that stay even so long are final


def tell(database: Database, folder: Path, kind: str, minutes: float, seed: int) -> bool:
    """Whether the accounts are even: after the crashes, and again after a backup that was made in
    the middle of them was put back."""
    print(f"\n== {kind}, {minutes:g} min, seed {seed}", flush=True)  # noqa: T201
    call_command("migrate", verbosity=0)
    install()
    processes = Processes(folder, database.clusters, free_port(), free_port())
    try:
        world = open_all(processes)
        feeder = Feeder(world, processes.web_url, seed)
        _let_it_fall(processes, database, world, feeder, minutes, seed)
        if not is_even(world, feeder):
            return False
        _put_the_backup_back(processes, database, world, feeder)
        return is_even(world, feeder)
    finally:
        processes.close()
        connections.close_all()


def open_all(processes: Processes) -> World:
    processes.open("sandbox")
    world = _build(processes)
    processes.open()
    processes.keep()
    _wait_for_catalogue()
    connections.close_all()
    return world


def _let_it_fall(
    processes: Processes,
    database: Database,
    world: World,
    feeder: Feeder,
    minutes: float,
    seed: int,
) -> None:
    world.set_faults(FAULTS, seed)
    feeder.start()
    crashes = Crashes(processes, database, seed)
    crashes.go_on_for(30 * minutes)
    database.back_up()
    crashes.go_on_for(30 * minutes)
    world.set_faults({}, 0)
    feeder.finish()
    died = ", ".join(f"{count} × {kind}" for kind, count in sorted(crashes.count.items()))
    print(f"  {died}; {processes.restarts} restarts")  # noqa: T201


def _put_the_backup_back(
    processes: Processes, database: Database, world: World, feeder: Feeder
) -> None:
    """What was sold and counted since is only in the channels and on the platforms."""
    ours = [name for name in processes.commands if name != "sandbox"]
    with processes.stopped(*ours):
        connections.close_all()
        database.restore()
    print("  the backup is put back")  # noqa: T201
    feeder.say_again()
    deadline = time.monotonic() + SETTLE_SECONDS
    while not all(each.is_even for each in orders_of(world, feeder)):
        if time.monotonic() > deadline:
            break  # the accounts will say it
        connections.close_all()
        time.sleep(1)
    call_command("begin_again")


def is_even(world: World, feeder: Feeder) -> bool:
    began = time.monotonic()
    accounts = _settle(world, feeder)
    answers = ", ".join(f"{n} × {s}" for s, n in sorted(feeder.caller.answers.items(), key=str))
    kept = ", ".join(f"{n} × {act}" for act, n in sorted(feeder.keepers.done.items()))
    print(f"  {kept}; API: {answers}")  # noqa: T201
    print(f"  quiet after {time.monotonic() - began:.0f} s\n{table(accounts)}", flush=True)  # noqa: T201
    is_whole = all(each.is_even for each in accounts)
    for flow in () if is_whole else ActivationFlow.objects.select_related("activation"):
        last = Run.objects.filter(activation=flow.activation, ability=flow.ability).first()
        print(  # noqa: T201
            f"  {flow.activation} {flow.ability}: due {flow.due_at}, waiting since {flow.slot_at},"
            f" {flow.failures_in_a_row} failures; last run: {last and last.outcome},"
            f" {last and last.seen} seen, {last and last.reason}"
        )
    return is_whole


def _build(processes: Processes) -> World:
    wait_for(processes.sandbox_url)
    world = build(processes.sandbox_url, processes.web_url)
    bell = f"{processes.web_url}/webhooks/{doorbell_secret(world.activations[HUB])}"
    world.sandbox.control(HUB, "settings", notify=bell)
    return world


def wait_for(url: str) -> None:
    """Until somebody is there."""
    deadline = time.monotonic() + BEGIN_SECONDS
    while not _answers(url):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody answers at {url}")
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        requests.get(url, timeout=5)
    except requests.RequestException:
        return False
    return True


def _wait_for_catalogue() -> None:
    """Nobody sells what is not on sale yet."""
    deadline = time.monotonic() + BEGIN_SECONDS
    on_sale = Product.objects.filter(
        sku__in=SKUS, price_row__price__isnull=False, stock_row__on_hand__gt=0
    )
    while on_sale.count() < len(SKUS) * len(STOCKED):
        if time.monotonic() > deadline:
            raise TimeoutError("the catalogues did not reach the portal")
        time.sleep(0.5)


def _settle(world: World, feeder: Feeder) -> list[Account]:
    """The accounts, when they are even and stay so, or when the time is over. What failed in the
    meantime an operator tries again, instead of waiting up to an hour for the portal to do it."""
    began, even_since = time.monotonic(), None
    deadline = began + SETTLE_SECONDS
    while True:
        connections.close_all()
        Failure.objects.open().update(retry_at=timezone.now())
        make_due(ActivationFlow.objects.filter(failures_in_a_row__gt=0))
        accounts, now = draw_up(world, feeder), time.monotonic()
        if not all(each.is_even for each in accounts):
            even_since = None
        elif even_since is None:
            even_since = now
        elif now - even_since > CALM_SECONDS:
            return accounts
        if now > deadline:
            return accounts
        time.sleep(1)
