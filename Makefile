# Everything that one does with this project. `make help` lists it.

GO   ?= go
# The processor that the Lambda binaries are built for: x86_64 or arm64.
ARCH ?= x86_64

# What a line of shell cannot do is Go. It is built for this machine, whatever GOOS says.
tool := GOOS= GOARCH= $(GO) build -o tmp/bin/make ./localhost/make && tmp/bin/make

golangci := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help run seed migrate test check bench soak fidelity up down status logs binary lint linter new-function rename \
	build sam-validate sam-build sam-local deploy

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- on this machine ---------------------------------------------------------------

# make passes SIGTERM on to the server, and ^C reaches both: it drains, then ends.
run: binary ## serve everything in one process (ARGS="-addr 127.0.0.1:8080")
	tmp/bin/localhost serve $(ARGS)

dev: binary ## run, and build and serve anew after each edit (ARGS="-isolate")
	tmp/bin/localhost serve -watch $(ARGS)

binary:
	@$(GO) build -o tmp/bin/localhost ./localhost

seed: binary ## fill the database with examples
	tmp/bin/localhost seed

migrate: binary ## bring the database up to date (ARGS="down", "status" or "new NAME" for another step)
	tmp/bin/localhost migrate $(or $(ARGS),up)

up: ## start Redis, the server and two workers under supervisor
	@$(tool) up

status: ## show what runs under supervisor
	@$(tool) status

logs: ## follow the logs of what runs under supervisor
	@tail -n 20 -F tmp/log/*.log

down: ## end what runs under supervisor, and wait until it is gone
	@$(tool) down

test: ## run the tests; they need only Go
	$(GO) test ./...

# Those that compare take turns, nine rounds, and report medians: docs/performance.md.
bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchtime 9x -timeout 30m ./localhost/fidelity ./shared/queue/worker
	$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list ./... | grep -v -e /localhost/fidelity -e /shared/queue/worker)

JOBS     ?= 20000
KILLS    ?= 5
RESTARTS ?= 2

soak: ## lose no job while workers and Redis die (JOBS=20000 KILLS=5 RESTARTS=2)
	$(GO) test ./localhost/make -run '^TestSoak$$' -count=1 -v -timeout 0 \
		-args -soak.jobs=$(JOBS) -soak.kills=$(KILLS) -soak.restarts=$(RESTARTS)

fidelity: ## ask every stage the cases of docs/fidelity.md, SAM in Docker too, and write it anew
	$(GO) test ./localhost/fidelity -count=1 -timeout 30m -sam -update
	$(GO) test ./localhost/fidelity -count=1 -run '^TestPage$$' -update

check: ## run all that CI runs beside the tests
	.ci/check

# --- the sources -------------------------------------------------------------------

lint: ## check the Go code against the house rules (.golangci.yml)
	@command -v golangci-lint >/dev/null || { echo "golangci-lint is not installed: $(GO) install $(golangci)"; exit 1; }
	golangci-lint run ./...

linter: # the version of the linter that CI installs
	@echo $(golangci)

new-function: ## add a function that answers GET /NAME (NAME=hello)
	@$(tool) new-function "$(NAME)"

rename: ## give the project your own module path (MODULE=example.com/acme/api)
	@$(tool) rename "$(MODULE)"

# --- on AWS Lambda -----------------------------------------------------------------

build: ## build every function for Lambda, into .build/NAME/bootstrap and .build/NAME.zip
	@$(tool) build -arch $(ARCH)

sam-validate: ## check template.yaml
	sam validate --lint
	cfn-lint template.yaml

sam-build: ## build every function as SAM does, into .aws-sam/
	@MAKELEVEL= MAKEFLAGS= sam build --parameter-overrides Architecture=$(ARCH)

# A token of `localhost token` is good there too. A database of the machine is not reached
# from a container by its loopback address: docs/deploy.md.
sam-local: sam-build binary ## serve the functions in Docker, by SAM (PARAMETERS="DatabaseUrl=…")
	@tmp/bin/localhost token -user nobody >/dev/null
	@sam local start-api --parameter-overrides Architecture=$(ARCH) DatabaseUrl=sqlite:/tmp/tandem.db \
		AuthSecret="$${AUTH_SECRET:-$$(cat tmp/auth-secret)}" $(PARAMETERS) $(ARGS)

deploy: sam-build ## deploy to AWS (PARAMETERS="DatabaseUrl=… AuthSecret=…"; docs/deploy.md)
	@sam deploy --parameter-overrides Architecture=$(ARCH) $(PARAMETERS) $(ARGS)
