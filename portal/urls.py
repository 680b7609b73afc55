"""Every URL of the project."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from portal.pages.developers import DevelopersPage
from portal.pages.orders import OrderListPage, OrderPage
from portal.webhooks import webhook

handler400 = "portal.api.errors.bad_request"
handler500 = "portal.api.errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="orders"), name="home"),
    path("login/", LoginView.as_view(template_name="pages/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("orders/", OrderListPage.as_view(), name="orders"),
    path("orders/<str:public_id>/", OrderPage.as_view(), name="order"),
    path("developers/", DevelopersPage.as_view(), name="developers"),
    path("admin/", admin.site.urls),
    path("api/", include("portal.api.urls")),
    path("webhooks/<str:secret>", webhook, name="webhook"),
]
