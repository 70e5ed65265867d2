#!/usr/bin/env bash
# bare_inside.sh FOLDER SCRIPT [MODE:FROM:TO...]: what ./dev bare runs in a namespace of its own for mounts and
# processes. Mounts into the folder what a system has mounted, and each shared folder FROM at TO, with the MODE ro
# or rw; then runs SCRIPT there. All mounts end with the namespace, that is: with this process.
set -euo pipefail
folder=$1 script=$2
shift 2

mount -t proc proc "$folder/proc"
mount --bind /sys "$folder/sys"
mount -o remount,bind,ro "$folder/sys"
mount -t tmpfs -o mode=755 dev "$folder/dev"
for name in null zero full random urandom tty; do
  touch "$folder/dev/$name"
  mount --bind "/dev/$name" "$folder/dev/$name"
done
mkdir "$folder/dev/pts" "$folder/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$folder/dev/pts"
mount -t tmpfs -o mode=1777 shm "$folder/dev/shm"
ln -s pts/ptmx "$folder/dev/ptmx"
ln -s /proc/self/fd "$folder/dev/fd"
ln -s fd/0 "$folder/dev/stdin"
ln -s fd/1 "$folder/dev/stdout"
ln -s fd/2 "$folder/dev/stderr"
for shared in "$@"; do
  IFS=: read -r mode from to <<<"$shared"
  mkdir -p "$folder$to"
  mount --bind "$from" "$folder$to"
  mount -o "remount,bind,$mode" "$folder$to"
done

# Not exec: the first process of a namespace is deaf to signals that it does not handle.
chroot "$folder" /bin/bash -c "$script"
