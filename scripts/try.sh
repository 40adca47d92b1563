#!/bin/bash
# make try: a shell in a Debian container; without a terminal, a short tour that prints what it does.
# Everything it makes is below .dev/try (an engine of its own), so nothing else on the machine is touched.
set -euo pipefail
cd "$(dirname "$0")/.."
home=$PWD/.dev/try
run=/run/berth-try
export DOCKER_HOST= BERTH_HOST=unix://$run/berth.sock
berth=$PWD/dist/berth
((EUID == 0)) || { echo "make try needs root: it makes namespaces, mounts and network links" >&2; exit 1; }

start() {
  mkdir -p "$home" "$run"
  (setsid "$berth" daemon --data-root "$home/data" --exec-root "$run/exec" --pidfile "$run/pid" -H "$BERTH_HOST" \
    >>"$home/engine.log" 2>&1 </dev/null &)
  for _ in $(seq 200); do
    "$berth" version >/dev/null 2>&1 && return
    sleep 0.05
  done
  echo "the engine did not start; the end of $home/engine.log:" >&2
  tail -n 5 "$home/engine.log" >&2
  exit 1
}
stop() {
  [[ -e $run/pid ]] || return 0
  local pid
  pid=$(<"$run/pid")
  kill "$1" "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}
finish() {
  "$berth" rm -f tour >/dev/null 2>&1 || true
  stop -TERM
  rmdir "$run" 2>/dev/null || rm -rf "$run"
}
trap finish EXIT

"$berth" version >/dev/null 2>&1 || start
image() { # NAME SCRIPT COMMAND: makes an image once
  "$berth" image inspect "$1" >/dev/null 2>&1 && return
  echo "making the image $1 from Debian packages …"
  "$2" | "$berth" import -c "CMD [\"$3\"]" - "$1" >/dev/null
}
image busybox:latest scripts/images/busybox.sh sh
image debian:bookworm scripts/images/debian.sh bash

if [[ -t 0 && -t 1 ]]; then
  echo "A shell in a Debian container (exit leaves it, and everything goes)."
  "$berth" run -it --rm --name tour --hostname debian debian:bookworm bash || true
  exit 0
fi

say() { printf '\n$ berth%s\n' "$(printf ' %s' "${@@Q}" | sed "s/'\([A-Za-z0-9_./:=-]*\)'/\1/g")"; "$berth" "$@"; }
say run --rm debian:bookworm sh -c 'echo "hello from $(cat /etc/debian_version) on $(uname -s)"'
say run -d --name tour busybox sh -c 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.2; done'
say ps
say exec tour sh -c 'echo "pid $$ of $(hostname)"'
sleep 1
say logs --tail 2 tour
printf '\n# kill -9 of the engine; the container runs on\n'
stop -KILL
sleep 1
printf '# the engine starts again\n'
start
say ps
printf '\n# what it wrote meanwhile is there\n'
say logs --tail 3 tour
say rm -f tour
