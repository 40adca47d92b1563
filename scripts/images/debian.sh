#!/bin/bash
# debian.sh [PACKAGE …] > debian.tar: the root file system of a small Debian bookworm image, with further packages, made
# by mmdebstrap from the mirror that this machine itself uses.
set -euo pipefail
sources=/etc/apt/sources.list.d/debian.sources
if [[ -e $sources ]]; then mirror=$(awk '$1 == "URIs:" {print $2; exit}' "$sources"); fi
if [[ -z ${mirror:-} && -e /etc/apt/sources.list ]]; then
  mirror=$(awk '$1 == "deb" {for (i = 2; i <= NF; i++) if ($i ~ /^http/) {print $i; exit}}' /etc/apt/sources.list)
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[[ -n ${mirror:-} && ${mirror:-} == *debian* && -e $keyring ]] || mirror=${DEBIAN_MIRROR:-${mirror:-http://deb.debian.org/debian}}
include=$(IFS=, && echo "$*")
exec mmdebstrap --quiet --variant=minbase ${include:+"--include=$include"} --aptopt='Acquire::Check-Valid-Until "false"' bookworm - \
  "deb [signed-by=$keyring] $mirror bookworm main"
