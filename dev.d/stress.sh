# ./dev stress: random losses against an exact oracle. Sourced by `dev`.
# shellcheck shell=bash disable=SC2034

help_stress() {
  cat <<EOF
usage: ./dev stress [--programs=N] [--seed=S] [--jobs=N] [--no-torch]

Builds test/random and checks N random losses (default 2000), of the seeds S, S + 1, ... (default: 1):
formulas before and after optimisation, their gradients, compiled kernels, central differences and LibTorch's
autograd all agree with an interpreter of 192 bits, within bounds derived from the program. A loss that fails
is made smaller while it still fails, and printed with its seed: \`--programs=1 --seed=S\` repeats it.

  --jobs=N    check N at a time (default: one a core)
  --no-torch  without LibTorch's autograd
Logs: build/logs/stress-*.log
EOF
}

run_stress() {
  local programs=2000 seed=1 torch=yes jobs=''
  while [[ $# -gt 0 ]]; do
    case $1 in
    --programs=*) programs=${1#*=} ;;
    --seed=*) seed=${1#*=} ;;
    --jobs=*) jobs=${1#*=} ;;
    --no-torch) torch=no ;; # read by ensure_built
    *) usage_error "unknown option '$1'" ;;
    esac
    shift
  done
  local number
  for number in "$programs" "$seed" "${jobs:-1}"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || usage_error "expected a number from 1, but found '$number'"
  done
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
