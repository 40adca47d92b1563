#!/bin/sh
# A replica of the primary: a copy of its files is made at the first start, whole or not at all; then it streams.
set -e
bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
if [ ! -d $data ]; then
  rm -rf $data.new
  PGPASSWORD=$(cat /run/secrets/password) "$bin/pg_basebackup" -h primary -U postgres -D $data.new -R -X stream --checkpoint=fast
  mv $data.new $data
fi
rm -f $data/postmaster.pid
exec "$bin/postgres" -D $data -c "listen_addresses=*" -c unix_socket_directories=/tmp
