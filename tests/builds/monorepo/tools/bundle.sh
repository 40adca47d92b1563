# bundle.sh PACKAGE …: one script of their sources.
set -eu
echo '#!/bin/sh'
for package; do cat "$package"/src/main.sh; done
