#!/bin/bash
# make dev: the engine from source in a scratch root below .dev; ctrl-c ends it and its containers stay for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
run=/run/berth-dev
mkdir -p .dev "$run"
echo "export DOCKER_HOST=unix://$run/berth.sock"
exec node_modules/.bin/bun --watch src/main.ts daemon --debug --data-root "$PWD/.dev/data" --exec-root "$run/exec" \
  --pidfile "$run/pid" -H "unix://$run/berth.sock"
