from typing import Any

from django.core.management.base import BaseCommand

from connectors.models import Store
from orders.finding import renew_words_of
from orders.models import Order
from orders.statistics import correct_tallies
from orders.written import VERSION, write_down_again

AT_ONCE = 500


class Command(BaseCommand):
    help = (
        "Make the stores' figures, the words of the search and what the API answers agree with"
        " their orders. All of it is kept with every order; this is for orders that are older than"
        " it is. The portal may go on working meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for store in Store.objects.order_by("pk").iterator():
            wrong = correct_tallies(store)
            orders, last = Order.objects.filter(store=store).order_by("pk"), 0
            while ids := list(orders.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
                renew_words_of(ids)
                last = ids[-1]
            unwritten = Order.objects.filter(store=store).exclude(written__version=VERSION)
            while ids := list(unwritten.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
                write_down_again(ids)
            self.stdout.write(f"{store}: {wrong}")
