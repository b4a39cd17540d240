# Thin aliases for ./dev, for those whose fingers type make.
.PHONY: up test check bench faults status logs reset format protos docs locks

up test check bench faults status logs reset:
	./dev $@

format:
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

protos:
	.venv/bin/python tools/generate_protos.py

docs:
	.venv/bin/python tools/generate_docs.py

# After a change of requirements in pyproject.toml; needs uv. The three agree on every version.
locks:
	uv pip compile pyproject.toml --extra local --extra dev $(LOCK) -o requirements-dev.lock
	uv pip compile pyproject.toml --extra local -c requirements-dev.lock $(LOCK) -o requirements-local.lock
	uv pip compile pyproject.toml -c requirements-dev.lock $(LOCK) -o requirements.lock

LOCK = --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
