#!/bin/bash
# make bench [BENCH_ARGS='--only run,exec']: our engine, Docker and Podman at the same work in one run, alternating.
# Needs the peers beside the project (../shared/peers/up starts them); otherwise it says so and measures nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=../shared/peers
[[ -x $peers/bench ]] || { echo "no peers beside the project ($peers): nothing to compare with" >&2; exit 1; }
home=$(mktemp -d /tmp/berth-bench-XXXXXX)
ip netns add berth-bench
ip -n berth-bench link set lo up
export BERTH_HOST=unix://$home/berth.sock
finish() {
  dist/berth ps -aq | xargs -r dist/berth rm -f >/dev/null || true
  kill "$(<"$home/pid")" && while [[ -e $home/pid ]]; do sleep 0.05; done
  ip netns del berth-bench
  rm -rf "$home"
}
trap finish EXIT
nsenter --net=/run/netns/berth-bench dist/berth daemon --data-root "$home/data" --exec-root "$home/exec" --pidfile "$home/pid" \
  -H "$BERTH_HOST" >"$home/log" 2>&1 &
for _ in $(seq 100); do dist/berth version >/dev/null 2>&1 && break; sleep 0.05; done
scripts/images/busybox.sh | dist/berth import -c 'CMD ["sh"]' - busybox:latest >/dev/null
"$peers/bench" --under-test "$PWD/dist/berth" --netns berth-bench ${BENCH_ARGS:-}
