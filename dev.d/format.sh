# ./dev format: clang-format over all C and C++ sources. Sourced by `dev`.
# shellcheck shell=bash

help_format() {
  cat <<EOF
usage: ./dev format [--check]

Formats the C and C++ sources in place with clang-format-$LLVM_MAJOR and .clang-format.

  --check  change nothing; name the files that would change and exit with code 1 if there are any
EOF
}

run_format() {
  local mode=-i
  case ${1:-} in
  '') ;;
  --check) mode=--dry-run ;;
  *) usage_error "unknown option '$1'" ;;
  esac
  local tool=$LLVM_PREFIX/bin/clang-format
  [[ -x $tool ]] || run_setup --no-torch
  local -a files
  mapfile -d '' -t files < <(cd "$ROOT" && find lang compiler runtime search test docs \
    \( -name '*.cpp' -o -name '*.h' -o -name '*.c' -o -name '*.hpp' \) -print0 | sort -z)
  if [[ $mode == -i ]]; then
    (cd "$ROOT" && "$tool" -i "${files[@]}")
    say "formatted ${#files[@]} files"
    return
  fi
  local -a bad
  mapfile -t bad < <(cd "$ROOT" && "$tool" --dry-run "${files[@]}" 2>&1 |
    sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: warning: code should be clang-formatted.*/\1/p' | sort -u)
  if [[ ${#bad[@]} -gt 0 ]]; then
    printf '   %s\n' "${bad[@]}"
    fail "${#bad[@]} of ${#files[@]} files are not formatted; run ./dev format"
  fi
  say "${#files[@]} files are formatted"
}
