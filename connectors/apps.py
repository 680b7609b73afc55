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
    """A row per specification, and for every activation the flows and the doorbell that it wants:
    neither a new connector nor a new flow needs a migration."""
    from connectors.messages.doorbells import install_all_doorbells  # models exist only now
    from connectors.services import sync_connectors
    from connectors.trouble.freshness import sync_flows

    sync_connectors()
    sync_flows()
    install_all_doorbells()
