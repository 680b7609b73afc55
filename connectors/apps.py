from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from connectors import checks  # noqa: F401  registers itself


class ConnectorsConfig(AppConfig):
    name = "connectors"
    verbose_name = _("Integrações")

    def ready(self) -> None:
        post_migrate.connect(write_connector_rows, sender=self)


def write_connector_rows(**kwargs: object) -> None:
    """A row per specification, so that a new connector needs no migration."""
    from connectors.services import sync_connectors  # models exist only now

    sync_connectors()
