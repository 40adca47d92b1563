#!/bin/bash
# apps.sh > apps.tar: one Debian root with what the applications of tests/apps run: PostgreSQL, Redis, nginx, Python.
set -euo pipefail
exec "$(dirname "$0")/debian.sh" postgresql redis-server redis-tools nginx-light python3-minimal python3-psycopg2 python3-redis
