from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def when(moment: datetime) -> str:
    """Day and minute as people write them: in their language, by São Paulo's clock."""
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
