"""The baseline of stock_calls.py: one view, one UPDATE, and nothing else; its settings and its
addresses as well."""

import json

import environ
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

SECRET_KEY = "tests-bench"  # it signs nothing
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = __name__
USE_TZ = True
DATABASES = {"default": {**environ.Env().db("DATABASE_URL"), "CONN_MAX_AGE": None}}
WRITE = """
    UPDATE catalog_stock SET on_hand = %s FROM catalog_product
    WHERE catalog_stock.product_id = catalog_product.id AND store_id = %s AND sku = %s
"""


def stock(request: HttpRequest, store_id: int, sku: str) -> JsonResponse:
    quantity = int(json.loads(request.body)["quantity"])
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [quantity, store_id, sku])
    response = JsonResponse({"sku": sku, "quantity": quantity})
    response["Content-Length"] = len(response.content)  # else it is sent in chunks
    return response


urlpatterns = [path("stores/<int:store_id>/skus/<str:sku>/stock", stock)]
