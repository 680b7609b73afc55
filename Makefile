PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
DATA := .data
PO := $(wildcard portal/locale/*/LC_MESSAGES/django.po)
MO := $(PO:.po=.mo)

export PORT

.PHONY: install demo test lint types clean

install: $(BIN)/.installed $(MO)

demo: $(BIN)/.installed $(MO) $(DATA)/demo.env
	@ENV_FILE=$(DATA)/demo.env DATABASE_URL="$${DATABASE_URL:-sqlite:///$(CURDIR)/$(DATA)/demo.sqlite3}" \
		$(BIN)/python manage.py demo $(ARGS)

test: lint types $(MO)
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

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

clean:
	rm -rf $(VENV) $(DATA) $(MO)
