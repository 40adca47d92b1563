#!/bin/bash
# Installs, by apt, what Berth and its tests need and this machine lacks; with `bench`, what scripts/bench needs, too. Says
# nothing when all is there.
set -euo pipefail

# program or library that must be there = Debian package that brings it
need=(
  crun=crun conmon=conmon nft=nftables libnftables.so.1=libnftables1 xz=xz-utils bzip2=bzip2 tini=tini
  ip=iproute2 curl=curl unshare=util-linux script=bsdutils busybox=busybox-static docker-registry=docker-registry openssl=openssl mmdebstrap=mmdebstrap skopeo=skopeo faketime=faketime
)

[[ ${1:-} != bench ]] || need+=(iperf3=iperf3 wrk=wrk nginx=nginx-light dnsperf=dnsperf)

have() {
  case $1 in
    *.so.*) [[ $(ldconfig -p) == *"$1"* ]] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

missing=()
for entry in "${need[@]}"; do
  have "${entry%%=*}" || missing+=("${entry#*=}")
done
((${#missing[@]})) || exit 0

if ((EUID != 0)); then
  echo "missing packages: ${missing[*]}; run as root, or: apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "installing ${missing[*]} …" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1; }
install || { apt-get update -qq >>"$log" 2>&1; install; } || { cat "$log" >&2; exit 1; }
# their packages start a registry on port 5000 and a web server on port 80, which nobody asked for
for entry in docker-registry=docker-registry nginx-light=nginx; do
  [[ " ${missing[*]} " != *" ${entry%=*} "* ]] || systemctl disable --now "${entry#*=}" >/dev/null 2>&1 || true
done
