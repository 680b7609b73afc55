from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from connectors import checks, lookups  # noqa: F401  register themselves


class ConnectorsConfig(AppConfig):
    name = "connectors"
    verbose_name = _("Integrações")

    def ready(self) -> None:
        post_migrate.connect(write_connector_rows, sender=self)


def write_connector_rows(*, apps: Apps = apps, **kwargs: object) -> None:
    """A row per specification, and for every activation the flows and the doorbell that it wants:
    neither a new connector nor a new flow needs a migration. Not while somebody goes back to an
    earlier release."""
    from connectors.messages.doorbells import install_all_doorbells  # models exist only now
    from connectors.services import sync_connectors
    from connectors.trouble.freshness import sync_flows

    if tables_are_todays(apps, ConnectorsConfig.name):
        sync_connectors()
        sync_flows()
        install_all_doorbells()


def tables_are_todays(migrated: Apps, label: str) -> bool:
    """Of this application, after a migration that may have gone back to an earlier release."""
    return _columns(migrated, label) == _columns(apps, label)


def _columns(registry: Apps, label: str) -> set[tuple[str, str | None]]:
    return {
        (model._meta.db_table, field.column)
        for model in registry.get_models()
        if model._meta.app_label == label
        for field in model._meta.concrete_fields
    }
