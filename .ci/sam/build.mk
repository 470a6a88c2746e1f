# `sam build` runs this Makefile once for each function, with ARTIFACTS_DIR set and the
# target build-FooFunction. It does not say for which processor: template.yaml lets it
# start in the folder arm64 or x86_64 beside this file, whose arch.mk does.

include arch.mk

build-%Function:
	cd ../../.. && GOOS= GOARCH= go run ./localhost/make build -arch $(ARCH) -bootstrap "$(ARTIFACTS_DIR)/bootstrap" $*
