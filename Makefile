# Every target sets up what it needs. Variables: BENCH_OPS BENCH_THREADS BENCH_ENGINES BENCH_WORKLOADS BENCH_BUDGET
# BENCH_FLAGS (any further flags of the verb that a target runs), SCALE=quick|full, SCALE_FLAGS (flags of `allocbench scale`),
# GATE_CANDIDATE GATE_REFERENCE GATE_FLAGS.

TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/release
ALLOCBENCH := $(BIN)/allocbench
CARGO_BUILD := cargo build --release --locked
REPLAY_ENGINES := system,jemalloc,mimalloc,ace,mempool_baseline,mempool_sharded,floor
FUZZ_COUNT := 10000000
SWEEP_WORKLOAD := fragmentation_mix+

.DEFAULT_GOAL := help
.PHONY: help setup setup-cxx build build-all bench bench-quick bench-full bench-all ablate sweep learn-table warm-pool scale gate gate-instructions gate-baseline gate-power pair-cost shared-cost test loom real-programs check fmt clippy docs ci microbench report plot replay record-traces record-cost fuzz clean

help: ## Show this list
	@echo "make TARGET [BENCH_OPS=200000] [BENCH_THREADS=1,2,4,8] [BENCH_ENGINES=a,b] [BENCH_WORKLOADS=x,y] [BENCH_BUDGET=seconds]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Check (and where possible install) what the build needs
	@sh scripts/setup.sh cargo cc valgrind

setup-cxx:
	@sh scripts/setup.sh cxx

build: setup ## Build allocbench and the measuring processes of the default engines
	$(CARGO_BUILD) --workspace
	@# mimalloc 2 has the symbols of mimalloc 3: a measuring process of its own
	$(CARGO_BUILD) -p cell --no-default-features --features mimalloc2 --target-dir $(TARGET)/flavours/mimalloc2
	@sh scripts/place.sh $(TARGET)/flavours/mimalloc2/release/allocbench-cell $(BIN)/allocbench-cell-mimalloc2
	$(CARGO_BUILD) -p mimalloc-shim --features v2 --target-dir $(TARGET)/flavours/mimalloc2
	@sh scripts/place.sh $(TARGET)/flavours/mimalloc2/release/liballocbench_mimalloc.so $(BIN)/liballocbench_mimalloc2.so

build-all: build setup-cxx ## Build every engine: also snmalloc, rpmalloc and tcmalloc (C++, several minutes)
	$(CARGO_BUILD) -p cell --no-default-features --features rpmalloc --target-dir $(TARGET)/flavours/rpmalloc
	@sh scripts/place.sh $(TARGET)/flavours/rpmalloc/release/allocbench-cell $(BIN)/allocbench-cell-rpmalloc
	$(CARGO_BUILD) -p cell --no-default-features --features snmalloc,tcmalloc --target-dir $(TARGET)/flavours/cxx
	@sh scripts/place.sh $(TARGET)/flavours/cxx/release/allocbench-cell $(BIN)/allocbench-cell-cxx

bench: build ## Measure: the design note's tables and a sample of the rest, at most 8 minutes
	$(ALLOCBENCH) bench $(BENCH_FLAGS)

bench-quick: build ## Measure the main rows, under 1 minute
	$(ALLOCBENCH) bench --profile quick $(BENCH_FLAGS)

bench-full: build-all ## Measure every engine, workload, thread count and pass (hours; resumes with BENCH_FLAGS=--resume)
	$(ALLOCBENCH) bench --profile full $(BENCH_FLAGS)

bench-all: build-all ## As bench, with every engine that can be built
	$(ALLOCBENCH) bench --all-engines $(BENCH_FLAGS)

ablate: build ## Measure what each part of ACE-Alloc is worth, under 10 minutes (resumes with BENCH_FLAGS=--resume)
	$(ALLOCBENCH) ablate $(BENCH_FLAGS)

sweep: build ## Try out settings of ACE-Alloc: make sweep SWEEP_WORKLOAD=rl_medium+ BENCH_FLAGS="--knob ACE_BATCH=0,8"
	$(ALLOCBENCH) sweep $(SWEEP_WORKLOAD) $(BENCH_FLAGS)

learn-table: build ## Judge the learning layer against off and the best fixed setting, about an hour (resumes)
	$(ALLOCBENCH) learn $(BENCH_FLAGS)

warm-pool: setup ## The draft's warm-pool experiment: random mixed at 256 B with and without secondary prefill, about 2 minutes
	@mkdir -p results
	cargo build --release --locked -p ace-alloc --example warm_pool
	$(BIN)/examples/warm_pool | tee results/warm_pool.md

scale: build ## Measure serving memory: a real server under load, then idle, 16 to 19 minutes (SCALE=quick|full)
	$(ALLOCBENCH) scale --size $(if $(SCALE),$(SCALE),default) $(SCALE_FLAGS)

INSTRUCTIONS := results/baseline/instructions.csv
GATE_CANDIDATE ?= tree
GATE_REFERENCE ?= HEAD~1

gate: build ## Judge a candidate against a reference: GATE_CANDIDATE (tree), GATE_REFERENCE (HEAD~1), GATE_FLAGS
	$(ALLOCBENCH) gate --candidate $(GATE_CANDIDATE) --reference $(GATE_REFERENCE) $(GATE_FLAGS)

gate-instructions: build ## Compare instructions per operation with the recorded baseline (deterministic, a minute)
	$(ALLOCBENCH) gate --instructions-baseline $(INSTRUCTIONS) --out $(TARGET)/gate/instructions $(GATE_FLAGS)

gate-baseline: build ## Record that baseline anew
	$(ALLOCBENCH) gate --record-baseline $(INSTRUCTIONS)

gate-power: build ## Study the gate's false alarms and power (hours; goes on where it was cut; GATE_FLAGS=--limit 100)
	sh scripts/gate-power.sh $(GATE_FLAGS)

report: build ## Write summary, report and plots anew from results/bench.csv
	$(ALLOCBENCH) report
	$(ALLOCBENCH) plot

plot: build ## Draw the plots anew from results/bench.csv
	$(ALLOCBENCH) plot

test: setup ## Run every test
	cargo build --locked --workspace
	cargo test --locked --workspace
	$(MAKE) loom

loom: setup ## Check the concurrent protocols under the loom model checker
	sh scripts/loom.sh $(TARGET)/loom

real-programs: build ## Run those real programs that the machine has without and with ACE-Alloc, and compare
	@# without whole-program optimisation, which takes minutes and is of no use here
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
	    $(CARGO_BUILD) -p harness --features ace-global --target-dir $(TARGET)/flavours/ace-global
	@sh scripts/place.sh $(TARGET)/flavours/ace-global/release/allocbench $(BIN)/allocbench-ace-global
	sh scripts/real_programs.sh

fmt: setup
	cargo fmt --all --check

clippy: setup
	cargo clippy --locked --workspace --all-targets -- -D warnings

docs: setup
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	sh scripts/links.sh

check: fmt clippy test docs ## Format, lints, tests, documentation, links: what must pass before a change lands

ci: check ## What continuous integration runs: check, then a short benchmark whose rows are validated
	$(MAKE) bench-quick BENCH_OPS=20000 BENCH_THREADS=1,2 BENCH_BUDGET=90 BENCH_FLAGS="--out $(TARGET)/ci/results"
	sh scripts/validate.sh $(TARGET)/ci/results/bench.csv \
	    system,jemalloc,mimalloc,mempool_baseline,mempool_sharded \
	    rl_small,rl_medium,fragmentation_mix,alignment64,tiny_hot,random_mixed 1,2
	$(MAKE) pair-cost
	$(MAKE) gate-instructions GATE_FLAGS=--skip-foreign

pair-cost: build ## Instructions of a malloc and its free through the C interface; PAIR_COST="name=library …" for others
	BIN=$(BIN) sh scripts/pair-cost.sh --max 32 $(PAIR_COST)

shared-cost: build ## Atomic instructions a block freed by another thread; SHARED_COST="name=library …" for others
	@sh scripts/setup.sh valgrind
	BIN=$(BIN) python3 scripts/shared-cost.py $(SHARED_COST)

replay: build ## Replay the committed traces against the default engines, tables and plots in results/replay
	$(ALLOCBENCH) replay $(sort $(wildcard traces/*.trace)) --engines $(REPLAY_ENGINES) --budget 270 \
	    --passes throughput,latency,memory --out results/replay/results $(BENCH_FLAGS)

record-traces: build ## Record the committed traces anew (needs python3, sqlite3, git, gcc, redis)
	@for name in python_json python_parser sqlite git gcc redis; do \
	    $(ALLOCBENCH) record -o traces/$$name.trace -- sh traces/programs.sh $$name >/dev/null || exit 1; \
	done

record-cost: build ## Measure what recording costs an event
	@sh scripts/record-cost.sh $(BIN)

fuzz: setup ## Feed FUZZ_COUNT mutated traces (10 million) to the readers
	cargo build --release --locked -p trace --example fuzz
	$(BIN)/examples/fuzz $(FUZZ_COUNT)

microbench: setup ## Criterion micro-benchmarks of the engines' hot paths
	cargo bench --locked -p engines

clean: ## Remove build products (results stay)
	cargo clean
