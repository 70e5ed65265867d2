# ./dev build: configure and compile. Sourced by `dev`.
# shellcheck shell=bash

help_build() {
  cat <<EOF
usage: ./dev build [--no-torch] [--jobs=N] [TARGET...]

Sets up, configures build/ (Release, clang-$LLVM_MAJOR, Ninja, ccache) and builds the four tools into build/bin,
or the named CMake targets.

  --no-torch  without LibTorch: only lossc and loss-opt
  --jobs=N    compile N files at a time (default: one a core, less where memory is short)
Log: build/logs/build.log
EOF
}

configure() { # TORCH(yes|no)
  local enable=OFF python=''
  if [[ $1 == yes ]]; then
    enable=ON python=$(torch_python)
  fi
  local wanted="$LLVM_PREFIX $enable $python"
  if [[ -f $BUILD/build.ninja && -f $BUILD/configured-for && $(<"$BUILD/configured-for") == "$wanted" ]]; then
    return
  fi
  rm -f "$BUILD/CMakeCache.txt" "$BUILD/configured-for"
  step "configuring build/" "$LOGS/configure.log" cmake -G Ninja -S "$ROOT" -B "$BUILD" \
    -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER="$LLVM_PREFIX/bin/clang" -DCMAKE_CXX_COMPILER="$LLVM_PREFIX/bin/clang++" \
    -DCMAKE_PREFIX_PATH="$LLVM_PREFIX" \
    -DLOSSLANG_ENABLE_TORCH=$enable -DLOSSLANG_TORCH_PYTHON="$python"
  echo "$wanted" >"$BUILD/configured-for"
}

# compile JOBS TARGET...: Ninja's own display on a terminal; elsewhere a line for every tenth, and all that
# compilers say.
compile() {
  local jobs=$1 start=$SECONDS
  shift
  say "building $*"
  if [[ -t 1 ]]; then
    ninja -C "$BUILD" -j "$jobs" "$@" || fail "the build failed"
  else
    ninja -C "$BUILD" -j "$jobs" "$@" 2>&1 </dev/null | tee "$LOGS/build.log" | awk '
      match($0, /^\[[0-9]+\/[0-9]+\]/) {
        split(substr($0, 2, RLENGTH - 2), n, "/"); tenth = int(10 * n[1] / n[2])
        if (tenth > last) { last = tenth; print "   " n[1] " of " n[2]; fflush() }
        next }
      /^ninja: (Entering|no work)|^-- / { next } # CMake, configured again
      { print; fflush() }' || fail "the build failed; all of it is in $LOGS/build.log"
  fi
  say "built in $(seconds "$start")"
}

# ensure_built TARGET...: set up and build, for the commands that need it. Reads torch and jobs.
ensure_built() {
  local -a options=()
  [[ ${torch:-yes} == yes ]] || options+=(--no-torch)
  run_setup "${options[@]}"
  configure "${torch:-yes}"
  compile "${jobs:-$(default_jobs)}" "$@"
}

run_build() {
  local torch=yes jobs=''
  local -a targets=()
  while [[ $# -gt 0 ]]; do
    case $1 in
    --no-torch) torch=no ;;
    --jobs=*) jobs=${1#*=} ;;
    -*) usage_error "unknown option '$1'" ;;
    *) targets+=("$1") ;;
    esac
    shift
  done
  [[ -z $jobs || $jobs =~ ^[1-9][0-9]*$ ]] || usage_error "expected a number after --jobs=, but found '$jobs'"
  if [[ ${#targets[@]} -eq 0 ]]; then
    targets=(lossc loss-opt)
    [[ $torch == no ]] || targets+=(losstrain losssearch)
  fi
  ensure_built "${targets[@]}"
}
