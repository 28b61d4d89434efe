# What a newcomer, a developer and the CI type. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

SWIFT := swift
SOURCES := Package.swift Sources Tests loadtest
RELEASE := -c release --static-swift-stdlib
ROLLCALL := .build/release/rollcall
LOADTEST := .build/release/loadtest
CONFORMANCE_CLIENT := .build/release/conformance-client
SIMULATE := .build-simulation/release/simulate
FUZZ := .build-fuzz/release/Fuzz
FUZZ_TARGETS ?= http frames deflate commands token journal
FUZZ_SECONDS ?= 60
# What tests and benchmarks run, and no more: the other products take as long again.
BUILD_RELEASE = for product in rollcall loadtest conformance-client; do \
  $(SWIFT) build $(RELEASE) --product $$product || exit 1; done
BUILD_BENCHES = for product in recovery-bench token-bench; do $(SWIFT) build $(RELEASE) --product $$product || exit 1; done
# Without what only a debugger reads.
BUILD_TESTS := $(SWIFT) build --build-path .build-tests --build-tests -debug-info-format none
# Many of the server's tests wait for sockets: beside them there is time for the others.
RUN_TESTS := $(SWIFT) test --build-path .build-tests --skip-build --ignore-lock
# Without the checks of overlapping accesses, which the simulated worlds among the unit tests have.
BUILD_SIMULATE := $(SWIFT) build $(RELEASE) -Xswiftc -DPLANTED_BUGS -Xswiftc -enforce-exclusivity=unchecked --build-path .build-simulation --product simulate
SEEDS ?= 1000
FIRST ?= 1
LINES ?= 200
PYTHON := .build-venv/bin/python
PYTHON_READY := .build-venv/ready
WITH_PYTHON := PATH="$(CURDIR)/.build-venv/bin:$$PATH"
PICTURE ?= Tests/Browser/picture.png
SCENARIO ?= class
HOST ?= 127.0.0.1
PORT ?= 8080

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26

run: packages-run ## build the server, start it with a demo class, print the two links
	$(SWIFT) build $(RELEASE) --product rollcall
	exec $(ROLLCALL) serve --demo --data ./rollcall-data --host $(HOST) --port $(PORT)

build: packages-run ## build the server and the load tester, optimised
	@$(BUILD_RELEASE)

test: packages-test lint builds test-unit test-simulation test-protocol build test-conformance test-http test-tls test-faults test-browser test-load test-allocations ## everything that CI checks
	@echo "make test: all parts passed"

builds: packages-run # what the tests need, all builds at a time: none alone fills two cores
	@mkdir -p build-output
	@$(MAKE) --no-print-directory $(PYTHON_READY) >build-output/build-python.log 2>&1 & python=$$!; \
	$(BUILD_SIMULATE) >build-output/build-simulate.log 2>&1 & simulate=$$!; \
	{ $(BUILD_RELEASE); } >build-output/build-release.log 2>&1 & release=$$!; \
	failed=0; $(BUILD_TESTS) || failed=1; \
	wait $$python || { cat build-output/build-python.log >&2; failed=1; }; \
	wait $$release || { cat build-output/build-release.log >&2; failed=1; }; \
	wait $$simulate || { cat build-output/build-simulate.log >&2; failed=1; }; \
	exit $$failed

lint: packages-run ## formatting and style of every Swift file
	$(SWIFT) format lint --strict --parallel --recursive --configuration .swift-format $(SOURCES)

format: ## put every Swift file into the one format
	$(SWIFT) format --in-place --parallel --recursive --configuration .swift-format $(SOURCES)

test-unit: packages-run ## the Swift tests: units, simulation, golden conversations, tidiness
	$(BUILD_TESTS)
	@mkdir -p build-output
	@$(RUN_TESTS) --skip SignalingServerTests >build-output/test-unit.log 2>&1 & others=$$!; \
	failed=0; $(RUN_TESTS) --filter SignalingServerTests || failed=1; \
	wait $$others || { grep -a -E '✘|error:' build-output/test-unit.log >&2; failed=1; }; \
	tail -n 1 build-output/test-unit.log; exit $$failed

$(SIMULATE): packages-run FORCE
	$(BUILD_SIMULATE)

simulate: $(SIMULATE) ## SEEDS=n simulated worlds from seed FIRST on, or SEED=n alone with its trace, PLANTED=name with a bug
	$(SIMULATE) $(if $(SEED),--seed $(SEED) --lines $(LINES),--seeds $(SEEDS) --first $(FIRST)) $(if $(PLANTED),--planted $(PLANTED))

test-simulation: $(SIMULATE) build ## a thousand simulated worlds; every planted bug is found; no release has one
	$(SIMULATE) --seeds 1000 --coverage
	$(SIMULATE) --planted all --seeds 300
	@for binary in $(ROLLCALL) $(LOADTEST); do \
	  if grep -q -a rejectedRecordReturns $$binary; then echo "$$binary has planted bugs" >&2; exit 1; fi; done
	@grep -q -a rejectedRecordReturns $(SIMULATE)

test-protocol: $(PYTHON_READY) ## schemas, AsyncAPI, OpenAPI, registries and vectors agree
	$(PYTHON) protocol/check

test-vectors: build $(PYTHON_READY) ## the golden conversations against the built server, from Python
	$(PYTHON) protocol/replay $(ROLLCALL)

test-conformance: build $(PYTHON_READY) ## Autobahn|Testsuite: the server, chopped into bytes too, and the client
	$(WITH_PYTHON) Tests/Conformance/autobahn $(ROLLCALL) $(CONFORMANCE_CLIENT)

test-http: build $(PYTHON_READY) ## the HTTP API from outside: platforms' days, who may what, schemathesis against openapi.yaml
	$(PYTHON) Tests/HTTP/run $(ROLLCALL)

test-tls: build $(PYTHON_READY) packages-test ## TLS from outside: sslyze, openssl, certificates that change, floods of handshakes
	$(PYTHON) Tests/TLS/run $(ROLLCALL)

test-faults: build $(PYTHON_READY) packages-faults ## kills, power cuts, full and failing disks, damage, clocks that jump, herds, floods
	$(PYTHON) Tests/Faults/test_checker.py
	$(PYTHON) Tests/Faults/test_trace.py
	$(PYTHON) Tests/Faults/test_disk.py
	$(PYTHON) Tests/Faults/run $(ROLLCALL)

test-browser: build $(PYTHON_READY) packages-test ## a class in Chromium and Firefox
	$(WITH_PYTHON) Tests/Browser/run $(ROLLCALL)

test-load: build ## a thousand simulated attendees in a class, and other scenarios; lies must be found
	Tests/Load/run $(ROLLCALL) $(LOADTEST)

load: build ## try the load tester: SCENARIO=class|fanout|storm|relay|idle|churn|slow-readers|herd ATTENDEES=n OPTIONS=…
	Tests/Load/try $(ROLLCALL) $(LOADTEST) $(SCENARIO) $(if $(ATTENDEES),--attendees $(ATTENDEES)) $(OPTIONS)

test-allocations: build ## what a frame, and each receiver of a message, allocates: nothing
	Tests/Allocations/run $(ROLLCALL)

bench: build $(SIMULATE) $(PYTHON_READY) packages-bench ## measure Rollcall beside other servers, chat, a herd, restart, snapshots: one table
	@$(BUILD_BENCHES)
	$(PYTHON) Tests/Bench/run $(ROLLCALL) $(LOADTEST) .build/release/recovery-bench --simulate $(SIMULATE)

picture: build $(PYTHON_READY) packages-test ## take the picture of the README anew, from a class in a real browser
	mkdir -p $(dir $(PICTURE))
	$(WITH_PYTHON) Tests/Browser/picture $(ROLLCALL) $(PICTURE)

soak: build $(SIMULATE) $(PYTHON_READY) packages-faults ## every fault at every place, a thousand kills, with a seed of their own, the whole of Autobahn: two hours
	$(PYTHON) Tests/Faults/run $(ROLLCALL) --soak
	$(SIMULATE) --seeds 100000 --first $(FIRST) --coverage
	$(WITH_PYTHON) Tests/Conformance/autobahn $(ROLLCALL) $(CONFORMANCE_CLIENT) --full

fuzz: packages-run ## look for inputs that break a parser: FUZZ_SECONDS=n for each of FUZZ_TARGETS
	ROLLCALL_FUZZ=1 $(SWIFT) build -c release -Xswiftc -sanitize=fuzzer,address --build-path .build-fuzz --product Fuzz
	@for target in $(FUZZ_TARGETS); do \
	  mkdir -p .build-fuzz/found/$$target .build-fuzz/broken; \
	  echo "fuzz $$target: $(FUZZ_SECONDS) s, told in .build-fuzz/$$target.log"; \
	  FUZZ_TARGET=$$target SWIFT_BACKTRACE=enable=no timeout --kill-after=5 $$(($(FUZZ_SECONDS) + 120)) \
	    $(FUZZ) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
	    -artifact_prefix=.build-fuzz/broken/$$target- .build-fuzz/found/$$target Tests/Fuzz/Corpus/$$target \
	    </dev/null >.build-fuzz/$$target.log 2>&1 || { tail -n 40 .build-fuzz/$$target.log >&2; exit 1; }; \
	  sed -n 's/^stat::number_of_executed_units: */  inputs run: /p' .build-fuzz/$$target.log; done

tsan: packages-run ## the tests of the server, its threads and its files under the thread sanitizer
	$(SWIFT) test --sanitize=thread --build-path .build-tsan \
	  --filter 'EventLoopTests|PersistenceTests|SignalingServerTests'

packages-run: # what building and running needs, if it is missing
	@command -v $(SWIFT) >/dev/null || { echo "Swift 6.3 or newer is needed: https://www.swift.org/install/linux/" >&2; exit 1; }
	@.ci/packages libssl-dev zlib1g-dev libcurl4-openssl-dev pkg-config

packages-test: packages-run # what the tests need beside that
	@.ci/packages python3 python3-venv chromium firefox-esr coturn iproute2 openssl

packages-faults: # what breaks disks and clocks
	@.ci/packages strace libfuse2 faketime util-linux

packages-bench: packages-run # the servers that Rollcall is measured beside, and what counts instructions
	@.ci/packages gcc libc6-dev libnginx-mod-nchan nodejs node-ws libuv1 valgrind binutils util-linux

$(PYTHON_READY): Tests/requirements.txt
	@.ci/packages python3 python3-venv
	python3 -m venv .build-venv
	.build-venv/bin/pip install --quiet --disable-pip-version-check --requirement Tests/requirements.txt
	touch $@

.PHONY: FORCE help run build builds test lint format test-unit simulate test-simulation test-protocol test-vectors test-conformance \
  test-tls test-faults test-browser test-load test-allocations load bench picture soak fuzz tsan packages-bench packages-run packages-test \
  packages-faults
