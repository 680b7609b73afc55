"""The rows of the table, by the number they are asked for with, and the modules that measure them.
Each module's `measure()` gives `list[Figure]`, in an empty, migrated database of its own."""

ROWS: dict[int, tuple[str, str]] = {
    1: ("Read 50 orders", "tests.bench.order_reads"),
    2: ("Tell the stock of one SKU", "tests.bench.stock_calls"),
    3: ("Bring one order", "tests.bench.order_posts"),
    4: ("Take 10,000 changed prices and stock levels", "tests.bench.levels"),
    5: ("Read 100,000 SKUs of which nothing changed", "tests.bench.unchanged"),
    6: ("Bring an order to everybody while 1,000 integrations run", "tests.bench.pushing"),
    7: ("Say whose turn it is", "tests.bench.scheduling"),
    8: ("A merchant's pages at 1,000,000 orders", "tests.bench.merchants_pages"),
    9: ("An operator's pages at 10,000 activations", "tests.bench.operators_pages"),
    10: ("Deliver notices while some addresses are dead", "tests.bench.notices"),
    11: ("Import a spreadsheet of 50,000 products", "tests.bench.spreadsheets"),
    12: ("Hold a web process and a cluster in memory", "tests.bench.memory"),
}
