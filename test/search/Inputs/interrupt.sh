#!/bin/bash
# interrupt.sh LOG COMMAND...: runs the command, sends it Ctrl-C's signal as soon as LOG (its standard error) says
# that an evaluation is running, and exits as it does.
log=$1
shift
# What an earlier run said does not count.
rm -f "$log"
# A background job of a script ignores SIGINT unless job control is on.
set -m
"$@" 2>"$log" &
pid=$!
for ((i = 0; i < 1200; ++i)); do
  grep -qs '1 running' "$log" && break
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
kill -INT "$pid"
wait "$pid"
