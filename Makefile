# One line each: what there is to do is in scripts/.
.PHONY: setup up stack stack-check trace-check faults soak idle k8s-check test bench dbt-parity screenshots sim mutants

setup: ; @scripts/setup tests
up: ; @scripts/up $(ARGS)
stack: ; @scripts/stack
stack-check: ; @scripts/with-traces scripts/stack scripts/stack-check
trace-check: ; @scripts/with-traces scripts/stack scripts/trace-check
faults: ; @scripts/faults $(NAMES)
soak: ; @scripts/soak $(or $(MINUTES),30) $(SEED)
idle: ; @scripts/bench --strict ready idle_rss
k8s-check: ; @scripts/k8s-check
test: ; @scripts/test
sim: ; @scripts/sim $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),5000))
mutants: ; @scripts/mutants
bench: ; @scripts/bench $(NAMES)
dbt-parity: ; @scripts/dbt-parity $(if $(DIR),"$(DIR)")
screenshots: ; @scripts/screenshots
