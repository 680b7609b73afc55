"""The baseline of memory.py: a view and a task that do nothing."""

from django.contrib import admin
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Empty(APIView):
    def get(self, request: Request) -> Response:
        return Response({})


def do_nothing() -> None:
    """A task."""


urlpatterns = [path("", Empty.as_view()), path("admin/", admin.site.urls)]
