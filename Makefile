PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
DATA := .data
PO := $(wildcard portal/locale/*/LC_MESSAGES/django.po)
MO := $(PO:.po=.mo)

export PORT

.PHONY: install demo test properties long browser soak scale bench sbom audit lint types clean

install: $(BIN)/.installed $(MO)

demo: $(BIN)/.installed $(MO) $(DATA)/demo.env
	@ENV_FILE=$(DATA)/demo.env DATABASE_URL="$${DATABASE_URL:-sqlite:///$(CURDIR)/$(DATA)/demo.sqlite3}" \
		$(BIN)/python manage.py demo $(ARGS)

test: lint types $(MO)
	$(BIN)/pytest -n auto --dist worksteal --no-migrations $(ARGS)

# The games at random of the tests, forty times as many and other ones each time.
properties: $(BIN)/.installed $(MO)
	MORE_GAMES=$${MORE_GAMES:-40} $(BIN)/pytest -n auto -m properties $(ARGS)

# Two whole portals, one the hub of the other; upgrades; days of faults, limits and late flows; the
# API under what a machine makes up.
long: $(BIN)/.installed $(MO)
	$(BIN)/pytest -n auto --dist worksteal -m long $(ARGS)

# In a real browser (apt-get install chromium); the pictures are left in build/screenshots.
browser: $(BIN)/.installed $(MO)
	$(BIN)/pytest -m browser tests/browser $(ARGS)

# Kills the portal's processes and its database while orders come, then accounts for every fact.
# Ten minutes on PostgreSQL and on SQLite; shorter with ARGS=--minutes=1, on one with ARGS=--on=sqlite.
soak: $(BIN)/.installed $(MO)
	$(BIN)/python -m tests.soak $(ARGS)

# Web servers and clusters on hosts of their own (network namespaces, so it needs root): one of each
# is lost, then one of each is added. One part with ARGS=losing or ARGS=adding.
scale: $(BIN)/.installed $(MO)
	$(BIN)/python -m tests.scale $(ARGS)

# How fast it is, as ratios to small programs written by hand, on a PostgreSQL that it starts itself.
# One row with ARGS=--only=4.
bench: $(BIN)/.installed $(MO)
	$(BIN)/python -m tests.bench $(ARGS)

# What it is made of, as CycloneDX.
sbom: $(BIN)/.installed
	@mkdir -p build
	$(BIN)/python .ci/sbom.py > build/sbom.json

# Whether a weakness of it is known; says so where nobody can be asked.
audit:
	@mkdir -p build
	@PYTHON=$(PYTHON) .ci/audit

lint: $(BIN)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(BIN)/.installed $(MO)
	$(BIN)/mypy .

$(BIN)/.installed: requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

%.mo: %.po $(BIN)/.installed
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

$(DATA)/demo.env: $(BIN)/.installed
	@mkdir -p $(DATA)
	@$(BIN)/python -m portal.demo.environment > $@

# Of the data only the demo's: a small shop's own database lies beside it.
clean:
	rm -rf $(VENV) $(DATA)/demo* $(MO)
