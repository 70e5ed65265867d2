# ./dev demo: the whole chain, once. Sourced by `dev`.
# shellcheck shell=bash disable=SC2034

help_demo() {
  cat <<EOF
usage: ./dev demo [--quick]

Builds the tools, then, in about 5 minutes on 2 cores that have nothing else to do:
  1. compiles one formula, trains some steps with it, and says from their pace how long the rest will take;
  2. compiles a dozen losses of stdlib/ to shared libraries;
  3. trains a narrow ResNet-9 on Fashion-MNIST with LibTorch's cross entropy and with the compiled
     cross_entropy, ngl and focal, and shows them side by side; in bf16 where the processor has it, else in f32;
  4. checks in f32 and with a slow start that both cross entropies agree in the loss of 50 steps to 1e-3;
  5. evolves losses for a minute and shows the best as formulas, beside cross entropy.
Everything it makes is in out/demo, which it empties first. README.md says what to do with it.

  --quick  the same with three losses and few steps: shows that all works, not what a loss is worth
EOF
}

# Those that are trained with, and one of most other families.
DEMO_LOSSES=(cross_entropy focal ngl bce_with_logits huber gaussian_nll dice ciou clip listnet distillation beta_vae)

DEMO_TRAINING=(--model resnet9 --width 16 --data fashion-mnist --batch 128 --schedule onecycle --val-size 2000 --seed 1)

# A column of a run's metrics.csv, a value a line; nothing if it has none of that name.
metric() { # RUN COLUMN
  awk -F, -v name="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i; if (!column) exit 1; next }
    { print $column }' "$1/metrics.csv"
}

# The seconds of one step of training: the median of a run, without its first step, which prepares.
pace() { # RUN
  metric "$1" seconds | awk 'NR > 1 { print $1 - last } { last = $1 }' | sort -g |
    awk '{ a[NR] = $1 } END { if (NR < 1) exit 1; print a[int((NR + 1) / 2)] }'
}

# Trains for some seconds, or longer where no two steps fit into them, and prints the pace.
measured_pace() { # SECONDS RUN OPTION...
  local limit=$1 run=$2 status
  shift 2
  for limit in "$limit" "$((limit * 4))" "$((limit * 16))"; do
    status=0
    timeout -s INT "$limit" "$BUILD/bin/losstrain" "$@" --steps 1000 --out "$run" --overwrite --quiet \
      </dev/null >/dev/null || status=$?
    # 124: stopped by timeout, as it should be.
    [[ $status -eq 0 || $status -eq 124 ]] || return "$status"
    pace "$run" && return
  done
  return 1
}

# How long all that follows takes, from the seconds of one compilation, of one step of training in its precision,
# and of one step of the small network. Reads what run_demo has set. An image takes a third of a step's share where it
# is only classified, bf16 a third of f32 where it is native; a program takes seconds to load and read the data.
expected_seconds() { # COMPILING STEP PRECISION SMALL
  awk -v losses="${#losses[@]}" -v cores="$(nproc)" -v jobs="$jobs" -v steps="$steps" -v evaluations="$evaluations" \
    -v search_steps="$search_steps" -v compiling="$1" -v step="$2" -v precision="$3" -v small="$4" '
    function rounds(tasks) { return int((tasks + jobs - 1) / jobs) }
    BEGIN {
      training = (steps + (2 * 2000 + 10000) / 128 / 3) * step + 3
      comparing = (50 + (2000 + 10000) / 128 / 3) * step * (precision == "bf16" ? 3 : 1) + 3
      evaluating = (search_steps + 2 * 2000 / 128 / 3) * small
      printf "%.0f", losses * compiling / cores + rounds(4) * training + rounds(2) * comparing + \
        rounds(evaluations + 1) * evaluating + 5
    }'
}

# The first result, and what the rest will take. Reads what run_demo has set.
demo_first() { # OUT
  local out=$1/first begin step small compiling precision
  mkdir -p "$out"
  say "1 of 5: one loss"
  grep '^/// Formula:' "$ROOT/stdlib/ngl.loss" | sed 's,^/// Formula:,   ngl:,'
  begin=$(date +%s%N)
  "$BUILD/bin/lossc" "$ROOT/stdlib/ngl.loss" -o "$out/ngl.so"
  compiling=$(awk -v ns=$(($(date +%s%N) - begin)) 'BEGIN { printf "%.1f", ns / 1e9 }')
  echo "   compiled with its gradient in $compiling s"
  step=$(measured_pace 10 "$out/run" --loss "$out/ngl.so" "${DEMO_TRAINING[@]}" --threads "$threads" --precision auto) ||
    fail "expected some steps of training, but found none in $out/run"
  metric "$out/run" train_loss | awk '
    NR == 1 { first = $1 }
    { last = $1 }
    END { printf "   loss of a batch of 128 images: %.3f, after %d steps of training %.3f\n", first, NR, last }'
  small=$(measured_pace 5 "$out/small" --loss "$out/ngl.so" --model b0net --data fashion-mnist --batch 128 --threads 1) ||
    fail "expected some steps of training, but found none in $out/small"
  precision=$(sed -n 's/.*"precision": "\(.*\)".*/\1/p' "$out/run/summary.json")
  expected=$(expected_seconds "$compiling" "$step" "$precision" "$small")
  say "expect $(minutes "$expected") more, if this pace holds, $precision: $(machine), load average $(cut -d ' ' -f 1 /proc/loadavg)"
}

# minutes SECONDS: for people.
minutes() {
  if [[ $1 -lt 90 ]]; then echo "$1 s"; else awk -v s="$1" 'BEGIN { printf "%.1f minutes\n", s / 60 }'; fi
}

demo_compile() { # OUT LOSS...
  local out=$1/lib start=$SECONDS
  shift
  say "2 of 5: $# of the library's $(find "$ROOT/stdlib" -maxdepth 1 -name '*.loss' | wc -l) losses, from formulas to shared libraries"
  mkdir -p "$out"
  # shellcheck disable=SC2016 # the inner shell expands them
  printf '%s\n' "$@" | OUT=$out LOSSC=$BUILD/bin/lossc STDLIB=$ROOT/stdlib xargs -P "$(nproc)" -I NAME bash -c '
    start=$(date +%s%N)
    "$LOSSC" "$STDLIB/NAME.loss" -o "$OUT/NAME.so" || exit 255
    printf "   %-16s %-22s %5d ms %5d KB\n" NAME "$(sed -n "s,^/// Family: ,,p" "$STDLIB/NAME.loss")" \
      "$((($(date +%s%N) - start) / 1000000))" "$(($(stat -c %s "$OUT/NAME.so") / 1024))"' ||
    fail "a loss of the library does not compile"
  echo "   in $(seconds "$start")"
}

# agreement A B: the greatest difference of the training loss in the first 50 steps of two runs.
agreement() {
  paste -d , <(metric "$1" train_loss) <(metric "$2" train_loss) | awk -F, '
    NR <= 50 && $1 != "" && $2 != "" { d = $1 - $2; if (d < 0) d = -d; if (d > most) most = d; n++ }
    END { if (n < 1) exit 1; printf "%d %.2g\n", n, most }'
}

demo_train() { # OUT
  local name loss run
  local -a runs=() tasks=()
  say "3 of 5: ResNet-9, 16 channels wide, on Fashion-MNIST: $steps steps with each loss, $jobs trainings at a time"
  for name in torch:cross_entropy cross_entropy ngl focal; do
    loss=$name run=$1/train-${name/:/-}
    [[ $name == torch:* ]] || loss=$1/lib/$name.so
    tasks+=(--loss "$loss" --out "$run")
    runs+=("$run")
  done
  printf '%s\n' "${tasks[@]}" | xargs -d '\n' -P "$jobs" -n 4 "$BUILD/bin/losstrain" "${DEMO_TRAINING[@]}" \
    --threads "$threads" --precision auto --steps "$steps" --eval-every "$((steps / 2))" \
    --quiet || fail "a training failed"
  "$BUILD/bin/losstrain" table "${runs[@]}"
}

# In f32, for two kernels are equal in bf16 until one gradient is rounded the other way: that tells less. With a slow
# start: at the full rate from the first step on, Adam turns the last bits of a gradient, in which two correct kernels
# differ, into differences of the weights.
demo_agree() { # OUT
  local theirs=$1/f32-torch-cross_entropy ours=$1/f32-cross_entropy compared
  say "4 of 5: the compiled and LibTorch's cross entropy once more, in f32 and with a slow start"
  printf '%s\n' --loss torch:cross_entropy --out "$theirs" --loss "$1/lib/cross_entropy.so" --out "$ours" |
    xargs -d '\n' -P "$jobs" -n 4 "$BUILD/bin/losstrain" "${DEMO_TRAINING[@]}" --threads "$threads" --precision f32 \
      --steps 50 --warmup 200 --quiet || fail "a training failed"
  compared=$(agreement "$theirs" "$ours") ||
    fail "expected a column train_loss in $ours/metrics.csv, but found none"
  echo "   greatest difference of the loss in the first ${compared% *} steps: ${compared#* }"
  awk -v d="${compared#* }" 'BEGIN { exit !(d <= 1e-3) }' || fail "they differ by more than 1e-3"
}

demo_search() { # OUT
  say "5 of 5: evolving losses: $evaluations trained, $search_steps steps of the small network each"
  "$BUILD/bin/losssearch" run "$1/search" --space=graph --data=fashion-mnist --model=b0net \
    --steps="$search_steps" --eval-every="$((search_steps / 2))" --validation=2000 \
    --evaluations="$evaluations" --jobs="$jobs" --seed=1 </dev/null
  "$BUILD/bin/losssearch" show "$1/search" --top 5
  "$BUILD/bin/losssearch" export "$1/search" 1 -o "$1/best.loss"
}

run_demo() {
  local torch=yes steps=160 evaluations=24 search_steps=120 expected=''
  local -a losses=("${DEMO_LOSSES[@]}")
  while [[ $# -gt 0 ]]; do
    case $1 in
    --quick) losses=("${losses[@]:0:3}") steps=40 evaluations=6 search_steps=20 ;;
    *) usage_error "unknown option '$1'" ;;
    esac
    shift
  done
  ensure_built lossc loss-opt losstrain losssearch
  # Four losses are trained with, at the same time as far as there are cores: a thread waits for no other then.
  local out=$ROOT/out/demo start=$SECONDS jobs threads
  jobs=$(($(nproc) < 4 ? $(nproc) : 4)) threads=$(($(nproc) / jobs))
  rm -rf "$out"
  mkdir -p "$out"
  demo_first "$out"
  demo_compile "$out" "${losses[@]}"
  demo_train "$out"
  demo_agree "$out"
  demo_search "$out"
  say "the demo took $(minutes "$((SECONDS - start))"); the best loss found is in out/demo/best.loss:"
  cat "$out/best.loss"
}
