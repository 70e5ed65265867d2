# ./dev test: all tests through lit. Sourced by `dev`.
# shellcheck shell=bash disable=SC2034

help_test() {
  cat <<EOF
usage: ./dev test [--no-torch] [--jobs=N] [--filter=REGEX] [-- LIT-OPTION...]

Builds and runs every test: lit tests under test/, and the GoogleTest executables of test/unit, which lit
runs too. Failures are shown with their output, unsupported and skipped tests by name, and the ten slowest
tests with their time. The last line is "N passed, N failed"; the exit code is 1 when a test failed, or when
none ran.

  --no-torch      without LibTorch: the tests of the language, the compiler and the loader
  --jobs=N        build and run N at a time
  --filter=REGEX  only tests whose name matches, for example --filter=Autodiff
  --              what follows goes to lit as it is
Logs: build/logs/test.log, and for programs build/logs/test.json
EOF
}

# The ten tests that took longest, from lit's results; nothing if lit wrote none.
slowest_tests() { # RESULTS
  [[ -e $1 ]] || return 0
  /usr/bin/python3 - "$1" <<'EOF'
import json, sys

with open(sys.argv[1]) as results:
    tests = json.load(results)["tests"]
times = sorted(((test["elapsed"] or 0, test["name"]) for test in tests), reverse=True)
print(f"The slowest of {len(times)} tests:")
for seconds, name in times[:10]:
    print(f"  {seconds:6.1f} s  {name}")
EOF
}

# Turns lit's closing table into the one line, and decides.
closing_line() { # LOG LIT-STATUS
  awk -v status="$2" '
    function number(line) { sub(/^[^:]*: */, "", line); return line + 0 }
    /^  (Passed|Passed With Retry|Expectedly Failed) *:/ { passed += number($0) }
    /^  (Failed|Unexpectedly Passed|Unresolved|Timed Out) *:/ { failed += number($0) }
    END {
      # lit itself may fail without a failed test: a crash, or a configuration error.
      if (status != 0 && failed == 0) { print "lit failed with exit code " status; bad = 1 }
      if (passed + failed == 0) print "no test ran"
      printf "%d passed, %d failed\n", passed, failed
      exit (bad || failed > 0 || passed == 0)
    }' "$1"
}

run_test() {
  # shellcheck disable=SC2034
  local torch=yes jobs='' status=0
  local -a lit_options=()
  while [[ $# -gt 0 ]]; do
    case $1 in
    --no-torch) torch=no ;; # read by ensure_built
    --jobs=*) jobs=${1#*=} ;;
    --filter=*) lit_options+=("--filter=${1#*=}") ;;
    --)
      shift
      lit_options+=("$@")
      break
      ;;
    *) usage_error "unknown option '$1'" ;;
    esac
    shift
  done
  [[ -z $jobs || $jobs =~ ^[1-9][0-9]*$ ]] || usage_error "expected a number after --jobs=, but found '$jobs'"
  ensure_built losslang-test-depends
  say "testing"
  rm -f "$LOGS/test.json"
  # Debian's python3 by its path: lit's time limit needs the psutil that was installed for it.
  /usr/bin/python3 "$LLVM_PREFIX/bin/lit" -sv --no-progress-bar --show-unsupported --show-skipped --timeout=900 \
    -o "$LOGS/test.json" -j "${jobs:-$(nproc)}" "${lit_options[@]}" "$BUILD/test" 2>&1 </dev/null |
    tee "$LOGS/test.log" || status=$?
  slowest_tests "$LOGS/test.json"
  closing_line "$LOGS/test.log" "$status"
}
