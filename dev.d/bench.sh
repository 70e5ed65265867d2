# ./dev bench: the promised figures. Sourced by `dev`.
# shellcheck shell=bash disable=SC2034

help_bench() {
  cat <<EOF
usage: ./dev bench [--quick] [--write-docs]

Builds and runs the benchmarks of test/bench and prints what was measured beside what is required. Exits
with 1 when a requirement is missed. Takes about 7 minutes; the machine should do nothing else.

  --quick       2,000 programs instead of 10,000 to see whether memory grows (1 minute instead of 4)
  --write-docs  also write the table to docs/benchmarks.md
EOF
}

table() { # rows with tabs in, a Markdown table out
  awk -F '\t' '
    BEGIN { split("measure|measured|required|", head, "|")
            for (c = 1; c <= 4; c++) width[c] = length(head[c]) }
    { for (c = 1; c <= 4; c++) { cell[NR, c] = $c; if (length($c) > width[c]) width[c] = length($c) } }
    END {
      for (c = 1; c <= 4; c++) printf "| %-*s ", width[c], head[c]; print "|"
      for (c = 1; c <= 4; c++) { printf "|"; for (i = 0; i < width[c] + 2; i++) printf "-" } print "|"
      for (r = 1; r <= NR; r++) { for (c = 1; c <= 4; c++) printf "| %-*s ", width[c], cell[r, c]; print "|" }
    }'
}

run_bench() {
  local programs=10000 write=no torch=yes
  while [[ $# -gt 0 ]]; do
    case $1 in
    --quick) programs=2000 ;;
    --write-docs) write=yes ;;
    *) usage_error "unknown option '$1'" ;;
    esac
    shift
  done
  ensure_built lossc losslang-bench
  local rows=$LOGS/bench.tsv load
  read -r load _ </proc/loadavg
  say "measuring on $(machine)"
  : >"$rows"
  local name
  for name in bench-torch bench-threads bench-search bench-compile; do
    local -a arguments=()
    [[ $name != bench-compile ]] || arguments=("$BUILD/bin/lossc" "$programs")
    "$BUILD/bench/$name" "${arguments[@]}" >>"$rows" || fail "$name failed"
    echo "   $name done"
  done
  table <"$rows"
  if [[ $write == yes ]]; then
    {
      cat <<EOF
# Benchmarks

Written by \`./dev bench --write-docs\` on $(machine); load average when it began: $load.
Times are medians of interleaved rounds of one run, so ratios compare like with like. Losses: 4096 rows of
1000 classes, f32, class indices, one thread, forward and backward through the LibTorch operation; the peer
is the same loss in LibTorch's own operations. The scaling copy reads and writes as many bytes as a loss
with its gradient must: it is what memory allows.

EOF
      table <"$rows"
    } >"$ROOT/docs/benchmarks.md"
    say "wrote docs/benchmarks.md"
  fi
  local missed
  missed=$(grep -c 'MISSED$' "$rows" || true)
  [[ $missed -eq 0 ]] || fail "$missed requirements are missed"
  say "all requirements are met"
}
