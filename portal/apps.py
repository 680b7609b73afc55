from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate

from connectors.apps import tables_are_todays

OURS = ("connectors", "catalog", "orders")


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        # Said of apps that have tables: after the last of them every permission is there.
        post_migrate.connect(write_roles, sender=apps.get_app_config("orders"))


class AdminConfig(admin_apps.AdminConfig):
    default_site = "portal.site.PortalSite"


def write_roles(*, apps: Apps = apps, **kwargs: object) -> None:
    from portal.roles import sync_roles  # models exist only now

    if all(tables_are_todays(apps, label) for label in OURS):
        sync_roles()
