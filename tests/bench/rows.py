"""The rows of the table, by the number they are asked for with, and the modules that measure them.
Each module's `measure()` gives `list[Figure]`, in an empty, migrated database of its own."""

ROWS: dict[int, tuple[str, str]] = {
    11: ("Import a spreadsheet of 50,000 products", "tests.bench.spreadsheets"),
}
