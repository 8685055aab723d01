# SPDX-License-Identifier: Apache-2.0
# `make sim` and `make test` on a fresh clone set up everything that they need in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=
CMTJ ?=
N ?= 500
SEED ?= 1
BOARD ?= ulx3s
LIB ?=

.PHONY: help setup sim test lint verilog golden fuzz fpga asic units bench studies methods method-studies validate-device spin-study netlist-power device-pictures energy-pictures doctor clean distclean

help:
	@echo "make sim      train, freeze, generate, co-simulate, estimate, report -> build/sim/index.html"
	@echo "make test     lint, types and every test"
	@echo "make verilog  Verilog of the default network -> build/verilog"
	@echo "make fpga     BOARD=ulx3s, orangecrab or icebreaker: a bitstream -> build/fpga"
	@echo "make asic     LIB=a folder of SCALEDROP_PDK, or a Liberty file -> build/asic"
	@echo "make units    every component on two FPGA families against the baseline: half an hour"
	@echo "make golden   make the golden vectors again -> tests/golden"
	@echo "make fuzz     N=500 random networks from SEED=1 through the RTL -> build/fuzz/report.json"
	@echo "make bench    speeds as ratios -> build/bench.json"
	@echo "make studies  measure docs/studies again: about an hour, needs MNIST, CIFAR-10, ISBI 2012"
	@echo "make methods  every method on three sets and three seeds, tables and claims: two hours"
	@echo "make method-studies  p, T, shift, drift, faults, segmentation: hours; stopped, it goes on"
	@echo "make validate-device CMTJ=PYTHON  the macrospin against cmtj, which that Python has: minutes"
	@echo "make spin-study  what the device does to predictions, with pictures: minutes"
	@echo "make netlist-power  digital blocks against a cell library of SCALEDROP_PDK: minutes"
	@echo "make device-pictures  pictures of docs/device.md"
	@echo "make energy-pictures  pictures of docs/energy.md, with MNIST"
	@echo "make doctor   which tools are there"
	@echo "make clean    remove build/;  make distclean removes .venv too"

setup: $(READY)

$(READY): pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or 3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || \
	  { echo "$(PYTHON) is not Python 3.11 or 3.12: choose one with make PYTHON=python3.11"; exit 1; }
	@command -v $${CXX:-g++} >/dev/null || { echo "no C++ compiler: install GCC 10 or later (Debian: apt install g++) or set CXX"; exit 1; }
	@command -v perl >/dev/null || { echo "perl is missing: install it (Debian: apt install perl)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

sim: $(READY)
	$(BIN)/scaledrop cosim --config digits --images 360 --passes 20 --seed 1 --out build/sim --cache build/cache $(ARGS)

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy sw cosim flow

verilog: $(READY)
	$(BIN)/scaledrop generate --config digits --out build/verilog --cache build/cache $(ARGS)

fpga: $(READY)
	$(BIN)/scaledrop fpga --board $(BOARD) --out build/fpga/$(BOARD) --cache build/cache $(ARGS)

asic: $(READY)
	@test -n "$(LIB)" || { echo "LIB: name a library: make asic LIB=sky130hd.lib.gz, or a folder of SCALEDROP_PDK"; exit 1; }
	$(BIN)/scaledrop asic --lib "$(LIB)" --out "build/asic/$(notdir $(LIB))" --cache build/cache $(ARGS)

units: $(READY)
	$(BIN)/scaledrop units --out build/units.json --cache build/cache $(ARGS)

golden: $(READY)
	$(BIN)/scaledrop golden --config digits --out tests/golden --cache build/cache $(ARGS)

fuzz: $(READY)
	$(BIN)/scaledrop fuzz --count $(N) --seed $(SEED) --out build/fuzz --store tests/regressions $(ARGS)

bench: $(READY)
	$(BIN)/scaledrop bench --out build/bench.json --cache build/cache $(ARGS)

studies: $(READY)
	$(BIN)/scaledrop study scale --cache build/cache $(ARGS)
	$(BIN)/scaledrop study lenet5 --cache build/cache $(ARGS)
	$(BIN)/scaledrop study exactness --cache build/cache $(ARGS)
	$(BIN)/scaledrop study calibration --cache build/cache $(ARGS)
	$(BIN)/scaledrop study energy --cache build/cache $(ARGS)

methods: $(READY)
	for n in methods methods-tuning methods-differences methods-reliability methods-digits; do \
	  $(BIN)/scaledrop study $$n --cache build/cache $(ARGS) || exit 1; done
	$(BIN)/scaledrop compare --docs docs/baselines.md

method-studies: $(READY)
	for n in facts first passes drift correlated shift ablation faults segmentation larger transformer; do \
	  $(BIN)/scaledrop study $$n --cache build/cache $(ARGS) || exit 1; done
	$(BIN)/python -m scaledrop_flow.report.method_studies docs/studies docs/pictures
	$(BIN)/python -m scaledrop_flow.report.transformer docs/studies/transformer.csv docs

validate-device: $(READY)
	SCALEDROP_CMTJ="$(CMTJ)" $(BIN)/scaledrop study macrospin --cache build/cache $(ARGS)

spin-study: $(READY)
	$(BIN)/scaledrop study spin --cache build/cache $(ARGS)
	$(BIN)/python -m scaledrop_flow.report.spin_study docs/studies/spin.csv docs/pictures

netlist-power: $(READY)
	$(BIN)/scaledrop energy netlist --out build/netlist --cache build/cache $(ARGS)

energy-pictures: $(READY)
	$(BIN)/scaledrop energy --config lenet5-mnist --node 28 --cache build/cache --out build/energy $(ARGS)
	cp build/energy/energy-steps.svg build/energy/energy-tornado.svg build/energy/energy-bands.svg docs/pictures

device-pictures: $(READY)
	$(BIN)/python -m scaledrop_flow.report.macrospin docs/studies/macrospin.csv docs/pictures
	$(BIN)/python -m scaledrop_flow.report.calibration docs/studies/calibration.csv docs/pictures

doctor: $(READY)
	$(BIN)/scaledrop doctor

clean:
	rm -rf build

distclean: clean
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
