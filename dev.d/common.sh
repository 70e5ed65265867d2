# Shared by all subcommands of `dev`. Sourced, never run.
# shellcheck shell=bash disable=SC2034

# Exit codes of `dev`, as `./dev --help` lists them.
readonly EXIT_FAILED=1 EXIT_USAGE=2 EXIT_NEEDS_ROOT=3

# shellcheck source=dev.d/versions.env
source "$ROOT/dev.d/versions.env"

BUILD=$ROOT/build
LOGS=$BUILD/logs
LLVM_PREFIX=/usr/lib/llvm-$LLVM_MAJOR
CACHE=${XDG_CACHE_HOME:-~/.cache}/losslang
VENV=$CACHE/venv-torch-$TORCH_VERSION
PYTEST=$CACHE/pytest-$PYTEST_VERSION

# Jobs at a time: one a core, but a source file with LibTorch's headers takes 1 GB.
default_jobs() {
  local cores gigabytes
  cores=$(nproc)
  gigabytes=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
  local jobs=$((gigabytes < cores ? gigabytes : cores))
  echo $((jobs < 1 ? 1 : jobs))
}

fail() {
  echo "dev: error: $1" >&2
  exit "${2:-$EXIT_FAILED}"
}

usage_error() {
  echo "dev $COMMAND: error: $1" >&2
  echo "Try './dev $COMMAND --help'." >&2
  exit "$EXIT_USAGE"
}

say() { echo "== $*"; }

# seconds SINCE: whole seconds since a value of $SECONDS.
seconds() { echo "$((SECONDS - $1)) s"; }

# The machine, for people who compare figures.
machine() {
  local model
  model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
  echo "$model, $(nproc) cores, $(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo), $(date -u +%F)"
}

# step TEXT LOG CMD...: one line of progress for a command whose output goes to a log file.
step() {
  local text=$1 log=$2 start=$SECONDS
  shift 2
  mkdir -p "$LOGS"
  printf '   %s ... ' "$text"
  if "$@" >"$log" 2>&1 </dev/null; then
    echo "done ($(seconds "$start"))"
  else
    echo "failed ($(seconds "$start"))"
    echo "--- the end of $log:" >&2
    tail -n 25 "$log" >&2
    return "$EXIT_FAILED"
  fi
}
