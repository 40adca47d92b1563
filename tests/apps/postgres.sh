#!/bin/sh
# PostgreSQL in the foreground; its files are made when it starts for the first time, whole or not at all.
set -e
bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
if [ ! -d $data ]; then
  rm -rf $data.new
  "$bin/initdb" -D $data.new --username=postgres --auth-local=trust --auth-host=scram-sha-256 \
    --pwfile=/run/secrets/password --no-sync >/dev/null
  echo 'host all,replication all all scram-sha-256' >>$data.new/pg_hba.conf
  sync
  mv $data.new $data
fi
# what a machine that went down left behind
rm -f $data/postmaster.pid
# replicas that come late, or were away, find what they need: without it one's first copy ends another's
exec "$bin/postgres" -D $data -c wal_keep_size=256MB -c "listen_addresses=*" -c unix_socket_directories=/tmp
