# ./dev fuzz: libFuzzer under sanitizers. Sourced by `dev`.
# shellcheck shell=bash disable=SC2034

FUZZ_TARGETS=(language pipeline module)

help_fuzz() {
  cat <<EOF
usage: ./dev fuzz [--seconds=N] [--jobs=N] [TARGET...]

Builds the fuzz targets of test/fuzz with AddressSanitizer and UndefinedBehaviorSanitizer in build/fuzz and
runs each for N seconds (default 60). Without a TARGET: ${FUZZ_TARGETS[*]}.

What was found stays in build/fuzz/corpus/TARGET and is where the next run begins; an input that fails is
kept in build/fuzz/failures. Exits with 1 when one failed. Logs: build/logs/fuzz-TARGET.log
EOF
}

# Words of the language for the mutations: the fixed ones, and the builtin functions.
fuzz_dictionary() {
  cat "$ROOT/test/fuzz/loss.dict"
  sed -n 's/^LOSS_[A-Z]*(\([a-z0-9_]*\),.*/"\1("/p' "$ROOT/lang/Builtins.def"
}

configure_fuzz() {
  [[ -f $BUILD/fuzz/build.ninja ]] || step "configuring build/fuzz" "$LOGS/configure-fuzz.log" \
    cmake -G Ninja -S "$ROOT" -B "$BUILD/fuzz" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER="$LLVM_PREFIX/bin/clang" -DCMAKE_CXX_COMPILER="$LLVM_PREFIX/bin/clang++" \
    -DCMAKE_PREFIX_PATH="$LLVM_PREFIX" -DLOSSLANG_ENABLE_TORCH=OFF -DLOSSLANG_FUZZ=ON
}

# fuzz_one TARGET SECONDS
fuzz_one() {
  local target=$1 seconds=$2 status=0 log=$LOGS/fuzz-$1.log
  local own=$BUILD/fuzz/corpus/$target seeds=$ROOT/test/fuzz/corpus/$target
  local -a folders=("$own")
  mkdir -p "$own" "$BUILD/fuzz/failures"
  [[ -d $seeds ]] && folders+=("$seeds")
  [[ $target == module ]] || folders+=("$ROOT/stdlib")
  # LLVM's allocators poison memory in code that is instrumented and do not unpoison it in libraries that
  # are not, which would be reported as use of poisoned memory; so it is with containers.
  ASAN_OPTIONS=allow_user_poisoning=0:detect_container_overflow=0:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
    "$BUILD/fuzz/test/fuzz/fuzz-$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 \
    -dict="$BUILD/fuzz/loss.dict" -artifact_prefix="$BUILD/fuzz/failures/$target-" -print_final_stats=1 \
    "${folders[@]}" >"$log" 2>&1 </dev/null || status=$?
  local runs coverage
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 edges, \2 features/p' "$log" | tail -n 1)
  if [[ $status -ne 0 ]]; then
    grep -E '^(==.*ERROR|SUMMARY|fuzzing:|.*runtime error)|Test unit written' "$log" | head -n 20
    echo "   $target: FAILED after ${runs:-?} runs; see $log"
    return 1
  fi
  echo "   $target: $runs runs in $seconds s, $coverage, no failure"
}

run_fuzz() {
  local seconds=60 jobs='' failed=0 target
  local -a targets=()
  while [[ $# -gt 0 ]]; do
    case $1 in
    --seconds=*) seconds=${1#*=} ;;
    --jobs=*) jobs=${1#*=} ;;
    -*) usage_error "unknown option '$1'" ;;
    *) targets+=("$1") ;;
    esac
    shift
  done
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || usage_error "expected a number after --seconds=, but found '$seconds'"
  [[ ${#targets[@]} -gt 0 ]] || targets=("${FUZZ_TARGETS[@]}")
  for target in "${targets[@]}"; do
    [[ " ${FUZZ_TARGETS[*]} " == *" $target "* ]] ||
      usage_error "expected one of ${FUZZ_TARGETS[*]}, but found '$target'"
  done
  print_only=no setup_packages
  mkdir -p "$LOGS"
  configure_fuzz
  say "building the fuzz targets"
  ninja -C "$BUILD/fuzz" -j "${jobs:-$(nproc)}" "${targets[@]/#/fuzz-}" >"$LOGS/build-fuzz.log" 2>&1 </dev/null ||
    fail "the build failed; all of it is in $LOGS/build-fuzz.log"
  fuzz_dictionary >"$BUILD/fuzz/loss.dict"
  for target in "${targets[@]}"; do
    say "fuzzing $target for $seconds s"
    fuzz_one "$target" "$seconds" || failed=$((failed + 1))
  done
  [[ $failed -eq 0 ]] || fail "$failed fuzz targets failed"
}
