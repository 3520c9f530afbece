# The three commands of the README. Each does all its own set-up on a fresh Debian 12.
.PHONY: build demo test fuzz bench packages

packages:
	@tools/install_packages

build: packages
	@[ -f build/release/build.ninja ] || cmake --preset release > /dev/null
	@cmake --build --preset release

demo: build
	@tools/demo

# All that CI runs: tools/check first, then a short run of each fuzzer, then the tests with the real server.
test: packages
	@tools/test

# Ten minutes of fuzzing for each decoder; FUZZ_SECONDS=N for another time.
fuzz: packages
	@tools/fuzz $${FUZZ_SECONDS:-600}

bench: build
	@bench/run
