# ./dev demo: the whole chain, once. Sourced by `dev`.
# shellcheck shell=bash disable=SC2034

help_demo() {
  cat <<EOF
usage: ./dev demo [--quick]

Builds the tools, then, in under 10 minutes on 2 cores:
  1. compiles every loss of stdlib/ to a shared library;
  2. trains a narrow ResNet-9 on Fashion-MNIST with LibTorch's cross entropy and with the compiled
     cross_entropy, ngl and focal, and shows them side by side;
  3. checks that both cross entropies agree in the loss of the first 50 steps to 1e-3;
  4. evolves losses for some minutes and shows the best as formulas, beside cross entropy.
Everything it makes is in out/demo, which it empties first. README.md says what to do with it.

  --quick  the same with three losses and few steps, in 1 minute: shows that all works, not what a loss is worth
EOF
}

demo_compile() { # OUT LOSS...
  local out=$1/lib start=$SECONDS
  shift
  say "1 of 4: $# losses of the library, from formulas to shared libraries"
  mkdir -p "$out"
  # shellcheck disable=SC2016 # the inner shell expands them
  printf '%s\n' "$@" | OUT=$out LOSSC=$BUILD/bin/lossc STDLIB=$ROOT/stdlib xargs -P "$(nproc)" -I NAME bash -c '
    start=$(date +%s%N)
    "$LOSSC" "$STDLIB/NAME.loss" -o "$OUT/NAME.so" || exit 255
    echo "$((($(date +%s%N) - start) / 1000000)) $(stat -c %s "$OUT/NAME.so") NAME"' >"$out/compiled" ||
    fail "a loss of the library does not compile"
  sort -n "$out/compiled" | awk '
    $3 ~ /^(cross_entropy|focal|ngl)$/ || NR == 1 { line[++n] = $0 }
    { last = $0; bytes += $2 }
    END {
      if (last != line[n]) line[++n] = last
      for (i = 1; i <= n; i++) { split(line[i], f, " "); printf "   %-24s %5d ms %6d KB\n", f[3], f[1], f[2] / 1024 }
      printf "   %-24s %8s %6.1f MB\n", "all " NR, "", bytes / 1048576
    }'
  echo "   in $((SECONDS - start)) s; the quickest, the slowest and those that are used below are shown"
}

# agreement A B: the greatest difference of the training loss in the first 50 steps of two runs.
agreement() {
  awk -F, '
    FNR == 1 { for (i = 1; i <= NF; i++) if ($i == "train_loss") column = i; next }
    FNR > 51 { next }
    FNR == NR { first[FNR] = $column; next }
    { n++; d = $column - first[FNR]; if (d < 0) d = -d; if (d > most) most = d }
    END { if (n < 1) exit 1; printf "%d %.2g\n", n, most }' "$1/metrics.csv" "$2/metrics.csv"
}

run_demo() {
  local torch=yes quick=no steps=400 evaluations=60 search_steps=150
  while [[ $# -gt 0 ]]; do
    case $1 in
    --quick) quick=yes steps=60 evaluations=6 search_steps=20 ;;
    *) usage_error "unknown option '$1'" ;;
    esac
    shift
  done
  ensure_built lossc loss-opt losstrain losssearch
  local out=$ROOT/out/demo start=$SECONDS name
  rm -rf "$out"
  mkdir -p "$out"

  local -a losses=(cross_entropy focal ngl)
  [[ $quick == yes ]] || mapfile -t losses < <(basename -s .loss -a "$ROOT"/stdlib/*.loss)
  demo_compile "$out" "${losses[@]}"

  # A slow start: at the full rate from the first step on, Adam turns the last bits of a gradient, in which two
  # correct kernels differ, into differences of the weights. In f32, for bf16 rounds a thousand times as much.
  say "2 of 4: ResNet-9, 16 channels wide, on Fashion-MNIST: $steps steps with each loss"
  local -a runs=()
  for name in torch:cross_entropy cross_entropy ngl focal; do
    local loss=$name run=$out/train-${name/:/-}
    [[ $name == torch:* ]] || loss=$out/lib/$name.so
    "$BUILD/bin/losstrain" --loss "$loss" --model resnet9 --width 16 --data fashion-mnist \
      --steps "$steps" --batch 128 --schedule onecycle --warmup 200 --eval-every 200 \
      --precision f32 --val-size 2000 --seed 1 --out "$run" </dev/null
    runs+=("$run")
  done
  "$BUILD/bin/losstrain" table "${runs[@]}"

  say "3 of 4: the compiled and LibTorch's cross entropy"
  local compared
  compared=$(agreement "$out/train-torch-cross_entropy" "$out/train-cross_entropy") ||
    fail "expected a column train_loss in $out/train-cross_entropy/metrics.csv, but found none"
  echo "   greatest difference of the loss in the first ${compared% *} steps: ${compared#* }"
  awk -v d="${compared#* }" 'BEGIN { exit !(d <= 1e-3) }' || fail "they differ by more than 1e-3"

  say "4 of 4: evolving losses: $evaluations trained, $search_steps steps of the small network each"
  "$BUILD/bin/losssearch" run "$out/search" --space=graph --data=fashion-mnist --model=b0net \
    --steps="$search_steps" --eval-every="$((search_steps / 2))" --validation=2000 \
    --evaluations="$evaluations" --jobs=2 --seed=1 </dev/null
  "$BUILD/bin/losssearch" show "$out/search" --top 10
  "$BUILD/bin/losssearch" export "$out/search" 1 -o "$out/best.loss"
  say "the demo took $(seconds "$start"); the best loss found is in out/demo/best.loss:"
  cat "$out/best.loss"
}
