# ./dev stress: losses against an exact oracle, random ones and the library's. Sourced by `dev`.
# shellcheck shell=bash disable=SC2034

# The revision that --prove scans: the one before the scan's first findings were mended.
readonly PROVE_REVISION=b9cfe60

help_stress() {
  cat <<EOF
usage: ./dev stress [--programs=N] [--seed=S] [--jobs=N] [--no-torch]
       ./dev stress --library [--only=LOSS,...] [--jobs=N]
       ./dev stress --library --prove

Builds test/random and checks N random losses (default 2000), of the seeds S, S + 1, ... (default: 1):
formulas before and after optimisation, their gradients, compiled kernels, central differences and LibTorch's
autograd all agree with an interpreter of 192 bits, within bounds derived from the program. A loss that fails
is made smaller while it still fails, and printed with its seed: \`--programs=1 --seed=S\` repeats it.

  --jobs=N    check N at a time (default: one a core)
  --no-torch  without LibTorch's autograd
  --library   instead: every loss of the library with its parameters at and near their bounds, with extreme, equal,
              zero, tiny and masked inputs, in f32 and f64: value and gradients against the formula in 1024 bits and
              more. Lists what is off by more than rounding of the best code explains, and fails where there is any
  --only=...  these losses alone
  --prove     shows that the scan sees: of revision $PROVE_REVISION it must name every loss that was mended since, and
              with any one mend taken back (test/library/mends.txt) the loss that it is for
Logs: build/logs/stress-*.log, build/logs/scan.log
EOF
}

run_stress() {
  local programs=2000 seed=1 torch=yes jobs='' library=no prove=no only=''
  while [[ $# -gt 0 ]]; do
    case $1 in
    --programs=*) programs=${1#*=} ;;
    --seed=*) seed=${1#*=} ;;
    --jobs=*) jobs=${1#*=} ;;
    --no-torch) torch=no ;; # read by ensure_built
    --library) library=yes ;;
    --only=*) only=${1#*=} ;;
    --prove) prove=yes ;;
    *) usage_error "unknown option '$1'" ;;
    esac
    shift
  done
  local number
  for number in "$programs" "$seed" "${jobs:-1}"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || usage_error "expected a number from 1, but found '$number'"
  done
  [[ $library == yes || -z $only && $prove == no ]] || usage_error "--only and --prove need --library"
  if [[ $library == yes ]]; then
    # Neither the compiler nor the oracle needs LibTorch.
    torch=no
    [[ ! -f $BUILD/configured-for || $(<"$BUILD/configured-for") != *" ON "* ]] || torch=yes
    ensure_built library-scan
    if [[ $prove == yes ]]; then prove_scan; else scan_library "${jobs:-$(nproc)}" "$only"; fi
  else
    stress_random "$programs" "$seed" "$jobs"
  fi
}

stress_random() { # PROGRAMS SEED JOBS
  local programs=$1 seed=$2 jobs=$3
  ensure_built loss-stress
  local start=$SECONDS share i failed=0 count=${jobs:-$(nproc)}
  local -a pids=()
  share=$(((programs + count - 1) / count))
  say "checking $programs random losses from seed $seed"
  for ((i = 0; i < count && i * share < programs; i++)); do
    local own=$((programs - i * share < share ? programs - i * share : share))
    OMP_NUM_THREADS=1 "$BUILD/bin/loss-stress" --programs="$own" --seed=$((seed + i * share)) \
      >"$LOGS/stress-$i.log" 2>&1 </dev/null &
    pids+=($!)
  done
  for ((i = 0; i < ${#pids[@]}; i++)); do
    wait "${pids[i]}" || failed=$((failed + 1))
    cat "$LOGS/stress-$i.log"
  done
  [[ $failed -eq 0 ]] || fail "random losses disagree with the oracle"
  say "$programs random losses agree, seeds $seed to $((seed + programs - 1)), $(seconds "$start")"
}

scan_library() { # JOBS ONLY
  say "scanning the library"
  local -a options=(--stdlib="$ROOT/stdlib" --known="$ROOT/test/library/known.txt" --jobs="$1")
  [[ -z $2 ]] || options+=(--only="$2")
  "$BUILD/bin/library-scan" "${options[@]}" 2>/dev/null </dev/null | tee "$LOGS/scan.log" ||
    fail "losses differ from their formulas; the list is in $LOGS/scan.log"
}

# names_loss LOSS STDLIB OPTION...: whether a scan of this library has findings for the loss that are not known.
names_loss() {
  local loss=$1 stdlib=$2 status=0
  shift 2
  "$BUILD/bin/library-scan" --stdlib="$stdlib" --only="$loss" --names --known="$ROOT/test/library/known.txt" \
    "$@" >"$LOGS/prove-scan.log" 2>&1 </dev/null || status=$?
  [[ $status -le 1 ]] || fail "the scan of $loss failed: $LOGS/prove-scan.log"
  [[ $status -eq 1 ]]
}

# revision NAME COMMIT: a worktree of a commit in build/prove/NAME, with its lossc. Prints the folder.
revision() {
  local folder=$BUILD/prove/$1
  git -C "$ROOT" worktree remove --force "$folder" >/dev/null 2>&1 || true
  git -C "$ROOT" worktree add --force --detach "$folder" "$2" >/dev/null 2>&1 || return 1
  (cd "$folder" && ./dev build --no-torch lossc) >"$LOGS/prove-$1.log" 2>&1 || return 1
  echo "$folder"
}

# Lines of test/library/mends.txt: LOSS HOW WHAT.
#   LOSS library FILE...   the files of stdlib/ are those of the revision before
#   LOSS law NAME,...      the compiler without laws of the simplification
prove_scan() {
  local start=$SECONDS old loss how what missed=0 count=0
  say "building revision $PROVE_REVISION"
  old=$(revision old "$PROVE_REVISION") || fail "$PROVE_REVISION cannot be built: $LOGS/prove-old.log"
  while read -r loss how what; do
    [[ -n $loss && $loss != \#* ]] || continue
    count=$((count + 1))
    local stdlib=$ROOT/stdlib
    local -a options=()
    if ! names_loss "$loss" "$old/stdlib" --lossc="$old/build/bin/lossc"; then
      echo "   $loss of $PROVE_REVISION: not named" && missed=$((missed + 1))
    fi
    case $how in
    library)
      stdlib=$BUILD/prove/stdlib
      rm -rf "$stdlib" && cp -r "$ROOT/stdlib" "$stdlib" && cp -r "$old/stdlib/functions" "$stdlib"
      for file in $what; do cp "$old/stdlib/$file" "$stdlib/$file"; done
      ;;
    law) options=(--without="$what") ;;
    *) fail "test/library/mends.txt: expected 'library' or 'law', but found '$how'" ;;
    esac
    if names_loss "$loss" "$stdlib" "${options[@]}"; then
      echo "   $loss without its mend ($how $what): named"
    else
      echo "   $loss without its mend ($how $what): not named" && missed=$((missed + 1))
    fi
  done <"$ROOT/test/library/mends.txt"
  git -C "$ROOT" worktree remove --force "$old"
  [[ $missed -eq 0 ]] || fail "the scan does not see $missed of them"
  say "the scan names all of $count mends, $(seconds "$start")"
}
