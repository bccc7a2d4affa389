# One line each: what there is to do is in scripts/.
.PHONY: setup up test bench dbt-parity screenshots

setup: ; @scripts/setup tests
up: ; @scripts/up $(ARGS)
test: ; @scripts/test
bench: ; @scripts/bench
dbt-parity: ; @scripts/dbt-parity $(if $(DIR),"$(DIR)")
screenshots: ; @scripts/screenshots
