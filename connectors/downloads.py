"""What a person saves to a file."""

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import JsonResponse


def as_file(content: dict[str, Any], name: str) -> JsonResponse:
    return JsonResponse(
        content,
        encoder=DjangoJSONEncoder,
        json_dumps_params={"ensure_ascii": False, "indent": 2},
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
