# ./dev docs: the generated pages. Sourced by `dev`.
# shellcheck shell=bash disable=SC2034

help_docs() {
  cat <<EOF
usage: ./dev docs [--check]

Builds the tools and writes docs/generated: the dialect's operations and the passes (from their ODS files),
the builtin functions (lang/Builtins.def), and what the tools say to --help; and beside it docs/losses.md, the
gallery of the library (stdlib/), and docs/messages.md (lang/Messages.def).

  --check  write nothing; show how the committed pages differ and exit with code 1 if they do
EOF
}

run_docs() {
  local check=no
  case ${1:-} in
  '') ;;
  --check) check=yes ;;
  *) usage_error "unknown option '$1'" ;;
  esac
  ensure_built lossc loss-opt losstrain losssearch
  local target=$ROOT/docs/generated
  if [[ $check == no ]]; then
    /usr/bin/python3 "$ROOT/dev.d/generate_docs.py" "$ROOT" "$BUILD" "$LLVM_PREFIX" "$target"
    say "wrote docs/generated, docs/losses.md and docs/messages.md"
    return
  fi
  local fresh=$BUILD/docs-check/generated page
  rm -rf "$fresh"
  /usr/bin/python3 "$ROOT/dev.d/generate_docs.py" "$ROOT" "$BUILD" "$LLVM_PREFIX" "$fresh"
  diff -ru "$target" "$fresh" || fail "docs/generated is out of date; run ./dev docs and commit the result"
  for page in losses messages; do
    diff -u "$ROOT/docs/$page.md" "$fresh/../$page.md" ||
      fail "docs/$page.md is out of date; run ./dev docs and commit the result"
  done
  say "docs/generated is up to date"
}
