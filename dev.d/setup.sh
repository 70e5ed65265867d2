# ./dev setup: Debian packages and LibTorch. Sourced by `dev`.
# shellcheck shell=bash

help_setup() {
  cat <<EOF
usage: ./dev setup [--no-torch] [--print]

Installs what is missing, and nothing when nothing is:
  * Debian 12 packages (dev.d/versions.env lists them) with apt-get, as root or through sudo; without
    either it prints the one line to run and exits with code $EXIT_NEEDS_ROOT;
  * LibTorch $TORCH_VERSION, unless python3 already has torch ${TORCH_VERSION%.*}: the PyPI wheel, in a virtual environment
    that all checkouts share: $VENV (5.4 GB). An installation that was cut off is repaired;
  * pytest $PYTEST_VERSION for the tests of the Python package, in a folder beside it.

  --no-torch  leave LibTorch out: enough for lossc and loss-opt
  --print     only print the apt-get line for the missing packages, if any
Logs: build/logs/setup-*.log
EOF
}

# The packages that are missing or of another version than pinned, one a line.
missing_packages() {
  local -A installed=()
  local name version status entry prefix
  while IFS=' ' read -r name status version; do
    [[ $status == ii* ]] && installed[$name]=$version
  done < <(dpkg-query -W -f '${Package} ${db:Status-Abbrev} ${Version}\n' "${DEBIAN_PACKAGES[@]%%=*}" 2>/dev/null)
  for entry in "${DEBIAN_PACKAGES[@]}"; do
    name=${entry%%=*} prefix=${entry#*=}
    if [[ -z ${installed[$name]+set} || ${installed[$name]} != "$prefix"* ]]; then
      echo "$name"
    fi
  done
}

# How to become root: nothing to add, sudo without a password, or not at all.
root_prefix() {
  if [[ $EUID -eq 0 ]]; then
    echo "env"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    echo "sudo -n env"
  else
    return 1
  fi
}

apt_install() { # ROOT-PREFIX PACKAGE...
  local -a as_root
  read -ra as_root <<<"$1"
  shift
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@"
}

apt_update() { # ROOT-PREFIX
  local -a as_root
  read -ra as_root <<<"$1"
  "${as_root[@]}" apt-get update -q -o DPkg::Lock::Timeout=300
}

setup_packages() {
  command -v dpkg-query >/dev/null ||
    fail "expected a Debian 12 system, but found no dpkg-query; README.md lists what to install by hand"
  local -a missing
  mapfile -t missing < <(missing_packages)
  [[ ${#missing[@]} -eq 0 ]] && return
  local line="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" as_root
  if [[ $print_only == yes ]]; then
    echo "$line"
    return
  fi
  if ! as_root=$(root_prefix); then
    echo "dev: ${#missing[@]} packages are missing, and installing them needs root. Run:" >&2
    echo "  sudo sh -c '$line'" >&2
    exit "$EXIT_NEEDS_ROOT"
  fi
  # Package lists may be absent (a fresh container) or too old to name files that still exist.
  local lists=(/var/lib/apt/lists/*_Packages*)
  if [[ ! -e ${lists[0]} ]]; then
    step "package lists" "$LOGS/setup-apt-update.log" apt_update "$as_root"
    step "${#missing[@]} Debian packages" "$LOGS/setup-apt.log" apt_install "$as_root" "${missing[@]}"
  elif ! step "${#missing[@]} Debian packages" "$LOGS/setup-apt.log" \
    apt_install "$as_root" "${missing[@]}" 2>/dev/null; then
    step "package lists (the old ones did not do)" "$LOGS/setup-apt-update.log" apt_update "$as_root"
    step "${#missing[@]} Debian packages" "$LOGS/setup-apt.log" apt_install "$as_root" "${missing[@]}"
  fi
  mapfile -t missing < <(missing_packages)
  [[ ${#missing[@]} -eq 0 ]] ||
    fail "expected the versions of dev.d/versions.env, but apt has others of: ${missing[*]}"
}

# The interpreter of the user's own python3 if that has a fitting torch, or nothing.
user_torch() {
  command -v python3 >/dev/null || return 0
  python3 - "${TORCH_VERSION%.*}" 2>/dev/null <<'EOF' || true
import importlib.metadata as metadata, os, sys
dist = metadata.distribution("torch")
library = dist.locate_file("torch/lib/libtorch_cpu.so")
if dist.version.startswith(sys.argv[1] + ".") and os.path.isfile(library):
    print(sys.executable)
EOF
}

# The Python whose torch is used, from the last setup: a line in a file, so that nothing slow runs.
torch_python() { cat "$BUILD/torch-python" 2>/dev/null || true; }

# Finished, and not damaged in the most likely way (files deleted to make room).
venv_complete() {
  [[ -f $VENV/.complete && -x $VENV/bin/python ]] &&
    compgen -G "$VENV/lib/python3*/site-packages/torch/lib/libtorch_cpu.so" >/dev/null
}

# A former setup chose a torch, and it is still there.
torch_chosen() {
  local python
  python=$(torch_python)
  case $python in
  '') return 1 ;;
  "$VENV"/*) venv_complete ;;
  *) [[ -x $python ]] ;;
  esac
}

venv_works() {
  [[ -x $VENV/bin/python ]] &&
    "$VENV/bin/python" -m pip check &&
    "$VENV/bin/python" -c "import torch; assert torch.__version__.split('+')[0] == '$TORCH_VERSION'"
}

venv_install() {
  rm -rf "$VENV"
  # Debian's own Python: another python3 on PATH may be of any version.
  /usr/bin/python3 -m venv "$VENV" &&
    "$VENV/bin/python" -m pip install -q --no-cache-dir --disable-pip-version-check --no-input \
      --progress-bar off "torch==$TORCH_VERSION" &&
    venv_works
}

setup_torch() {
  local python
  ! torch_chosen || return 0
  mkdir -p "$BUILD"
  python=$(user_torch)
  if [[ -n $python ]]; then
    say "using the torch of $python"
    echo "$python" >"$BUILD/torch-python"
    return
  fi
  mkdir -p "$CACHE"
  # One installation at a time, whichever checkout asks. The stamp is the last thing written, so a
  # folder without it is one that was cut off, or one made by other means: it has to prove itself.
  exec 7>"$CACHE/venv-torch-$TORCH_VERSION.lock"
  flock 7
  if ! venv_complete; then
    if ! venv_works >"$LOGS/setup-torch-check.log" 2>&1 </dev/null; then
      [[ ! -d $VENV ]] || say "the LibTorch in $VENV is not complete: installing it anew"
      step "LibTorch $TORCH_VERSION from PyPI (5.4 GB)" "$LOGS/setup-torch.log" venv_install
    fi
    touch "$VENV/.complete"
  fi
  exec 7>&-
  echo "$VENV/bin/python" >"$BUILD/torch-python"
}

# pytest in a folder of its own: whichever Python has torch, nothing is installed into it.
setup_pytest() {
  [[ -f $PYTEST/.complete ]] && return
  mkdir -p "$CACHE"
  exec 7>"$PYTEST.lock"
  flock 7
  if [[ ! -f $PYTEST/.complete ]]; then
    rm -rf "$PYTEST"
    step "pytest $PYTEST_VERSION from PyPI" "$LOGS/setup-pytest.log" "$(torch_python)" -m pip install -q --no-cache-dir \
      --disable-pip-version-check --no-input --progress-bar off --target "$PYTEST" "pytest==$PYTEST_VERSION"
    touch "$PYTEST/.complete"
  fi
  exec 7>&-
}

run_setup() {
  local torch=yes print_only=no
  while [[ $# -gt 0 ]]; do
    case $1 in
    --no-torch) torch=no ;;
    --print) print_only=yes ;;
    *) usage_error "unknown option '$1'" ;;
    esac
    shift
  done
  mkdir -p "$LOGS"
  setup_packages
  [[ $print_only == yes ]] && return
  if [[ $torch == yes ]]; then
    setup_torch
    setup_pytest
  fi
  say "set up"
}
