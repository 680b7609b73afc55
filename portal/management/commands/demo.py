import os
import random
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.demo import check
from portal.demo.browser import Browser
from portal.demo.clock import Clock
from portal.demo.people import (
    MERCHANT,
    MERCHANT_PASSWORD,
    OPERATOR,
    OPERATOR_PASSWORD,
    open_store,
    start_afresh,
)
from portal.demo.processes import Processes
from portal.demo.scene import Sandbox, Scene, scenes_of_every_connector
from portal.schedules import install

SECONDS_BETWEEN_ORDERS = 4


class Command(BaseCommand):
    help = "Run the portal with a sandbox of platforms around it, and keep orders coming."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="run the scenario to its end, compare, and stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_signal: sys.exit())  # so that the others end as well
        start_afresh()
        install()
        with Processes(int(os.environ.get("PORT", "8000"))) as processes:
            self._say_where(processes)
            scenes = self._set_up(processes)
            if options["check"]:
                check.run(scenes, processes, self.stdout.write)
                return
            try:
                self._keep_feeding(scenes, processes)
            except KeyboardInterrupt:
                self.stdout.write("\nAté logo.")

    def _say_where(self, processes: Processes) -> None:
        self.stdout.write(
            f"""
  Tomada, demonstração. Um minuto de cadência dura aqui um segundo.

  Suporte   {processes.web_url}/admin/   {OPERATOR} / {OPERATOR_PASSWORD}
  Lojista   {processes.web_url}/         {MERCHANT} / {MERCHANT_PASSWORD}
  API       {processes.web_url}/api
  Sandbox   {processes.sandbox_url}
"""
        )

    def _set_up(self, processes: Processes) -> list[Scene]:
        """Activate every connector, in each of its modes, for a store of its own."""
        operator = Browser(processes.web_url)
        operator.sign_in("/login/?next=/admin/", OPERATOR, OPERATOR_PASSWORD)
        sandbox = Sandbox(processes.sandbox_url)
        scenes = []
        for spec, mode, channel in scenes_of_every_connector():
            kind = "parceiro" if mode == "partner" else "gerenciado"
            store = open_store(f"Loja {spec.name} ({kind})", f"{spec.slug}-{mode.value}")
            scene = Scene(spec, mode, channel, store, sandbox, operator, processes.web_url)
            scene.activate()
            scenes.append(scene)
            self.stdout.write(f"  ativados: {spec.name} ({kind}) e {channel.name}, {store}")
        return scenes

    def _keep_feeding(self, scenes: list[Scene], processes: Processes) -> None:
        clock = Clock()
        self.stdout.write("\n  Chegam pedidos sem parar. Ctrl-C termina.\n")
        pending: list[tuple[Scene, str]] = []
        while True:
            clock.tick()
            try:
                processes.check_alive()
            except CommandError as error:
                raise CommandError(f"{error}. A demonstração terminou.") from error
            if clock.seconds % SECONDS_BETWEEN_ORDERS:
                continue
            scene = random.choice(scenes)  # noqa: S311
            status = random.choice(("approved", "approved", "pending"))  # noqa: S311
            number = scene.place_order(status)
            self.stdout.write(f"  pedido {number} ({status}) em {scene.store}")
            if status == "pending":
                pending.append((scene, number))
            elif pending and pending[0][0].find(pending[0][1]):
                scene, number = pending.pop(0)
                scene.move_order(number, random.choice(("approved", "canceled")))  # noqa: S311
