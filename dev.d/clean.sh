# ./dev clean. Sourced by `dev`.
# shellcheck shell=bash

help_clean() {
  cat <<EOF
usage: ./dev clean [--cache]

Removes build/ and out/.

  --cache  also the LibTorch that ./dev setup installed for all checkouts ($CACHE)
EOF
}

run_clean() {
  case ${1:-} in
  '') ;;
  --cache) rm -rf "$CACHE" ;;
  *) usage_error "unknown option '$1'" ;;
  esac
  rm -rf "$BUILD" "$ROOT/out"
  say "clean"
}
