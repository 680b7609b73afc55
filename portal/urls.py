"""Every URL of the project."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from portal.health import healthz, readyz
from portal.metrics import metrics
from portal.pages.buyer import BuyerPage
from portal.pages.catalogue import CataloguePage, ProductPage
from portal.pages.dashboard import DashboardPage
from portal.pages.developers import DevelopersPage
from portal.pages.handover import HandoverPage
from portal.pages.integration import IntegrationPage
from portal.pages.integrations import AskPage, IntegrationsPage
from portal.pages.login import CodePage, LoginPage, SecondFactorPage
from portal.pages.mails import MailsPage
from portal.pages.order import OrderPage
from portal.pages.orders import OrderExport, OrderListPage
from portal.pages.personal import PersonalDataPage
from portal.pages.spreadsheets import (
    RefusedRows,
    SpreadsheetPage,
    SpreadsheetsPage,
    TemplateFile,
)
from portal.webhooks import webhook

handler400 = "portal.api.errors.bad_request"
handler500 = "portal.api.errors.server_error"

urlpatterns = [
    path("", DashboardPage.as_view(), name="home"),
    path("login/", LoginPage.as_view(), name="login"),
    path("login/code/", CodePage.as_view(), name="login-code"),
    path("login/second-factor/", SecondFactorPage.as_view(), name="second-factor"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("orders/", OrderListPage.as_view(), name="orders"),
    path("orders/export/<str:kind>/", OrderExport.as_view(), name="order-export"),
    path("orders/<str:public_id>/", OrderPage.as_view(), name="order"),
    path("catalogue/", CataloguePage.as_view(), name="catalogue"),
    path("catalogue/<str:public_id>/", ProductPage.as_view(), name="product"),
    path("personal-data/", PersonalDataPage.as_view(), name="personal-data"),
    path("spreadsheets/", SpreadsheetsPage.as_view(), name="spreadsheets"),
    path("spreadsheets/model/<str:kind>/", TemplateFile.as_view(), name="spreadsheet-template"),
    path("spreadsheets/<str:public_id>/", SpreadsheetPage.as_view(), name="spreadsheet"),
    path(
        "spreadsheets/<str:public_id>/refused/", RefusedRows.as_view(), name="spreadsheet-refused"
    ),
    path("integrations/", IntegrationsPage.as_view(), name="integrations"),
    path("integrations/ask/", AskPage.as_view(), name="integration-ask"),
    path("integrations/<int:pk>/", IntegrationPage.as_view(), name="integration"),
    path("integrations/<int:pk>/mails/", MailsPage.as_view(), name="mails"),
    path("status/<str:token>/", BuyerPage.as_view(), name="buyer"),
    path("handover/<str:token>/", HandoverPage.as_view(), name="handover"),
    path("developers/", DevelopersPage.as_view(), name="developers"),
    path("admin/", admin.site.urls),
    path("api/", include("portal.api.urls")),
    path("webhooks/<str:secret>", webhook, name="webhook"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
