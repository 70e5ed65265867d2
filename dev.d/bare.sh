# ./dev bare: any command, as it runs on a new machine. Sourced by `dev`.
# shellcheck shell=bash

# Where the folders are made (on a disk, not in memory), and where the clone and its user's home lie in one.
BARE_FOLDERS=${TMPDIR:-/var/tmp}
BARE_HOME=/root BARE_CLONE=/root/losslang

help_bare() {
  cat <<EOF
usage: ./dev bare [options] [COMMAND [ARG...]]
       ./dev bare [options] -- SHELL-COMMAND

Runs './dev COMMAND' (default: test), or a shell command, where nothing is installed: in a new folder that holds
the smallest Debian 12 ($DEBIAN_SUITE, made by debootstrap) and a clean clone of what is committed. What this machine
happens to have cannot help there. How this machine fetches packages is taken over: apt's sources of Debian,
proxies, certificates, pip's configuration. Prints the time of each step, at the end the command's last line,
and passes its exit code on.

  --empty-cache  fetch LibTorch (5.4 GB) and pytest, and compile everything. Else those of this user are shared,
                 read-only, and so is ccache's folder
  --keep         leave the folder there, and say where
  --in=FOLDER    go on in a folder that --keep left, with its packages and its build; the clone moves to what is
                 committed now. The folder is kept again

Needs root, the right to mount (in a container: --privileged), and debootstrap, which is installed where it
is missing. Mounts are made in a namespace of their own, which ends with the command: nothing stays mounted, and
removing the folder cannot reach what was shared.
Folder: $BARE_FOLDERS/losslang-bare.*: 6 GB with the build, 12 GB with --empty-cache. Log: build/logs/bare.log
EOF
}

# The address of Debian's main archive, and all sources of Debian, a line each, as this machine's apt has them.
# shellcheck disable=SC2016 # apt expands them
bare_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' "Codename: $DEBIAN_SUITE" |
    head -n 1
}
# shellcheck disable=SC2016
bare_sources() {
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 'Origin: Debian' |
    sort -u
}

# The variables that decide how something is fetched: NAME=VALUE, each ended by a NUL.
bare_environment() {
  env -0 | grep -zE '^(PIP_[A-Z_]+|[A-Za-z]+_(proxy|PROXY)|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE)=' || true
}

# copy_in FOLDER PATH...: files and folders of this machine, to the same place in the folder.
copy_in() {
  local folder=$1 path
  shift
  for path in "$@"; do
    [[ ! -e $path ]] || cp -rL --parents "$path" "$folder"
  done
}

# How to reach packages: names, apt, certificates, pip.
bare_settings() { # FOLDER
  local folder=$1 setting certificates=/etc/ssl/certs/ca-certificates.crt
  copy_in "$folder" /etc/resolv.conf /etc/hosts /etc/apt/auth.conf /etc/apt/auth.conf.d &&
    bare_sources >"$folder/etc/apt/sources.list" &&
    apt-config dump Acquire >"$folder/etc/apt/apt.conf.d/90host" || return
  # As in a new image: sources, but no lists yet.
  rm -rf "$folder"/var/lib/apt/lists/*
  copy_in "$folder" "$certificates"
  if [[ -e $certificates ]]; then
    # The package ca-certificates will write the file anew, from Debian's and from local ones.
    mkdir -p "$folder/usr/local/share/ca-certificates"
    cp -L "$certificates" "$folder/usr/local/share/ca-certificates/host.crt"
  fi
  copy_in "$folder" /etc/pip.conf /etc/xdg/pip
  mkdir -p "$folder$BARE_HOME/.config/pip"
  for setting in ~/.pip/pip.conf "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf"; do
    [[ ! -e $setting ]] || cp -L "$setting" "$folder$BARE_HOME/.config/pip/pip.conf"
  done
  while IFS= read -r -d '' setting; do
    [[ ${setting#*=} != /* ]] || copy_in "$folder" "${setting#*=}"
  done < <(bare_environment)
}

# namespace CMD...: with mounts and processes of its own, all of which end with CMD, and CMD with this shell. It
# runs beside, so that an interrupt reaches this shell at once.
namespace() {
  local status=0
  env --default-signal=INT,QUIT setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc "$@" </dev/null &
  bare_process=$!
  wait "$bare_process" || status=$?
  bare_process=''
  return "$status"
}

bare_base() { # FOLDER
  local proxy=''
  # debootstrap fetches with wget, which does not know apt's proxy.
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [[ -z $proxy || -n ${http_proxy:-} ]] || export http_proxy=$proxy
  namespace debootstrap --variant=minbase "$DEBIAN_SUITE" "$1" "$(bare_mirror)" && bare_settings "$1"
}

bare_clone() { # FOLDER
  local clone=$1$BARE_CLONE
  if [[ -d $clone ]]; then
    git -C "$clone" fetch -q "$ROOT" HEAD && git -C "$clone" checkout -q --detach FETCH_HEAD
  else
    git clone -q --no-hardlinks "$ROOT" "$clone"
  fi
}

# What is shared, for bare_inside.sh: LibTorch and pytest if they are whole, and what ccache has.
bare_shared() {
  local folder
  for folder in "$VENV" "$PYTEST"; do
    [[ ! -f $folder/.complete ]] || echo "ro:$folder:$BARE_HOME/.cache/losslang/${folder##*/}"
  done
  if command -v ccache >/dev/null; then
    folder=$(ccache --get-config=cache_dir)
    mkdir -p "$folder"
    echo "rw:$folder:$BARE_HOME/.cache/ccache"
  fi
}

# Runs the script in the clone, shows its output and leaves it in the log.
bare_run() { # FOLDER SHARE(yes|no) SCRIPT
  local status=0 output
  local -a shared=() settings=()
  [[ $2 == no ]] || mapfile -t shared < <(bare_shared)
  mapfile -t -d '' settings < <(bare_environment)
  settings+=("HOME=$BARE_HOME" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    "CCACHE_DIR=$BARE_HOME/.cache/ccache")
  exec 8> >(tee "$LOGS/bare.log")
  output=$!
  namespace env -i "${settings[@]}" bash "$ROOT/dev.d/bare_inside.sh" "$1" "cd $BARE_CLONE || exit"$'\n'"$3" "${shared[@]}" \
    >&8 2>&1 || status=$?
  exec 8>&-
  wait "$output" || true
  return "$status"
}

# Ends the namespace, and with it all mounts; then removes the folder, below which nothing is mounted.
bare_cleanup() {
  if [[ -n $bare_process ]]; then
    kill -KILL "$bare_process" 2>/dev/null || true
    wait "$bare_process" 2>/dev/null || true
  fi
  [[ $bare_keep == no ]] || return 0
  if findmnt -rno TARGET | grep -qF "$bare_folder/"; then
    echo "dev bare: error: something is mounted below $bare_folder, which is left as it is" >&2
  else
    rm -rf --one-file-system -- "$bare_folder"
  fi
}

# Words as a shell reads them, each behind a blank.
spelled() { [[ $# -eq 0 ]] || printf ' %q' "$@"; }

# What it needs from this machine.
bare_requirements() { # ARG... of ./dev bare
  if [[ $(root_prefix) != env ]]; then
    echo "dev: a bare system needs root. Run:" >&2
    echo "  sudo ./dev bare$(spelled "$@")" >&2
    exit "$EXIT_NEEDS_ROOT"
  fi
  unshare --mount --pid --fork --mount-proc true 2>/dev/null ||
    fail "expected the right to mount, but found none (in a container: start it with --privileged)"
  command -v apt-get >/dev/null || fail "expected a Debian system, but found no apt-get"
  if [[ -z $(bare_mirror) ]]; then
    step "package lists" "$LOGS/setup-apt-update.log" apt_update env
    [[ -n $(bare_mirror) ]] || fail "expected a source of Debian's $DEBIAN_SUITE in apt's configuration, but found none"
  fi
  command -v debootstrap >/dev/null || step "debootstrap" "$LOGS/setup-apt.log" apt_install env debootstrap
}

run_bare() {
  local share=yes from='' script='' status=0 start=$SECONDS
  local -a arguments=("$@")
  bare_keep=no bare_process='' bare_folder=''
  while [[ $# -gt 0 && -z $script ]]; do
    case $1 in
    --empty-cache) share=no ;;
    --keep) bare_keep=yes ;;
    --in=*) from=${1#*=} bare_keep=yes ;;
    --)
      [[ $# -gt 1 ]] || usage_error "expected a command after --"
      script=${*:2}
      ;;
    -*) usage_error "unknown option '$1'" ;;
    *)
      [[ $1 != bare && " ${COMMANDS[*]} " == *" $1 "* ]] || usage_error "expected a command of ./dev, but found '$1'"
      script="./dev$(spelled "$@")"
      ;;
    esac
    shift
  done
  script=${script:-./dev test}
  [[ -z $from || -d $from$BARE_CLONE ]] || usage_error "expected a folder that --keep left, but found '$from'"
  bare_requirements "${arguments[@]}"

  mkdir -p "$LOGS"
  say "bare $DEBIAN_SUITE, at $(git -C "$ROOT" log -1 --format='%h "%s"')"
  [[ -z $(git -C "$ROOT" status --porcelain) ]] || echo "   what is not committed is not there"
  bare_folder=${from:-$(mktemp -d "$BARE_FOLDERS/losslang-bare.XXXXXX")}
  trap bare_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  [[ -n $from ]] || chmod 755 "$bare_folder"
  [[ -n $from ]] || step "Debian $DEBIAN_SUITE" "$LOGS/bare-debootstrap.log" bare_base "$bare_folder"
  [[ $bare_keep == no ]] || echo "   './dev bare --in=$bare_folder COMMAND' will go on there"
  step "clone" "$LOGS/bare-clone.log" bare_clone "$bare_folder"
  say "$script"
  local began=$SECONDS
  bare_run "$bare_folder" "$share" "$script" || status=$?
  say "took $(seconds "$began") of $(seconds "$start"), exit code $status; the last line was:"
  tail -n 1 "$LOGS/bare.log"
  return "$status"
}
