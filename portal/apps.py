from django.apps import AppConfig
from django.contrib.admin import apps


class PortalConfig(AppConfig):
    name = "portal"


class AdminConfig(apps.AdminConfig):
    default_site = "portal.site.PortalSite"
