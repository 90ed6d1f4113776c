# Every target runs without root. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: bench-cosign fuzz-smoke help test unit e2e lint bench fixtures signatures schemas docs

CARGO ?= cargo

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

test: unit e2e ## Run all tests; end-to-end tests whose servers are missing are skipped by name (CI=true: a failure)

unit: ## Run unit, fixture and scripted-server tests: needs Rust alone
	$(CARGO) test --locked

e2e: ## Run the end-to-end tests against real servers on loopback: builds them once with Go
	SEAWORTHY_E2E=1 $(CARGO) test --locked --test integration e2e:: -- --nocapture

# Advisories are left out: their database cannot be had without a network.
lint: ## Check formatting, warnings, documentation links, licences and shell scripts
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	    echo '$(CARGO) deny check licenses bans sources' && $(CARGO) deny --locked --log-level error check licenses bans sources; \
	elif [ "$$CI" = true ]; then echo 'cargo-deny is missing: .ci/run installs it' >&2; exit 1; \
	else echo 'skipped: cargo-deny is not installed (cargo install --locked cargo-deny)'; fi
	@git ls-files --cached --others --exclude-standard | while read -r file; do \
	    head -n 1 "$$file" | grep -qE '^#!.*[/ ](ba)?sh$$' || continue; \
	    echo "bash -n $$file" && bash -n "$$file" || exit 1; \
	    if command -v shellcheck >/dev/null; then shellcheck -S warning "$$file" || exit 1; fi; done

# Compared with cosign where it is on the PATH. Some of it: make bench ONLY='memory start'.
bench: ## Measure speed and memory against scripted servers on loopback; prints a table, fails where a limit is missed
	$(CARGO) bench --locked --bench speed -- $(ONLY)
	$(CARGO) bench --locked --bench memory
	$(CARGO) bench --locked --bench verification
	$(CARGO) bench --locked --bench expression

# The same targets run over fixtures/corpus in `make unit`, on stable Rust.
fuzz-smoke: ## Fuzz every parser of hostile bytes for FUZZ_SECONDS each (60): needs a nightly toolchain and cargo-fuzz, else skipped
	@if $(CARGO) +nightly fuzz --version >/dev/null 2>&1; then \
	    for target in $$(ls fuzz/fuzz_targets | sed 's/\.rs$$//'); do \
	        mkdir -p fuzz/corpus/$$target; \
	        $(CARGO) +nightly fuzz run $(FUZZ_FLAGS) $$target fuzz/corpus/$$target fixtures/corpus/$$target -- -max_total_time=$${FUZZ_SECONDS:-60} || exit 1; \
	    done; \
	else echo 'skipped: fuzzing needs a nightly toolchain and cargo-fuzz (cargo install cargo-fuzz)'; fi

bench-cosign: ## Measure verification beside `cosign verify` over the same images (cosign on the PATH)
	$(CARGO) bench --locked --bench speed -- signed

fixtures: ## Make the shipped snapshots anew from their descriptions
	SEAWORTHY_WRITE_FIXTURES=1 $(CARGO) test --locked --test integration fixtures::

signatures: ## Make the signed fixtures anew, with new keys (fixtures/verdicts.yaml says what is expected of them)
	SEAWORTHY_WRITE_FIXTURES=1 $(CARGO) test --locked --test integration forge::

schemas: ## Make the JSON schemas in reports/ anew from the types
	SEAWORTHY_WRITE_SCHEMAS=1 $(CARGO) test --locked --test integration schemas::

docs: ## Make the generated lists in docs/ anew from the types
	SEAWORTHY_WRITE_DOCS=1 $(CARGO) test --locked --test integration documentation::
