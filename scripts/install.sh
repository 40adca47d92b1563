#!/bin/bash
# install.sh install|uninstall PREFIX: the executable, its systemd unit, shell completion. DESTDIR is honoured.
set -euo pipefail
cd "$(dirname "$0")/.."
action=$1 prefix=$2 root=${DESTDIR:-}
binary=$root$prefix/bin/berth
unit=$root/etc/systemd/system/berth.service
bash_completion=$root$prefix/share/bash-completion/completions/berth
zsh_completion=$root$prefix/share/zsh/site-functions/_berth
fish_completion=$root$prefix/share/fish/vendor_completions.d/berth.fish

reload() { [[ -z $root && -d /run/systemd/system ]] && systemctl daemon-reload || true; }

case $action in
  install)
    mkdir -p "$(dirname "$binary")"
    dd if=dist/berth of="$binary.new" bs=64k status=none # scripts/build.ts says why
    chmod 755 "$binary.new"
    mv -f "$binary.new" "$binary"
    mkdir -p "$(dirname "$unit")"
    sed "s#@PREFIX@#$prefix#" scripts/berth.service >"$unit"
    for shell in bash zsh fish; do
      target=${shell}_completion
      mkdir -p "$(dirname "${!target}")"
      "$binary" completion "$shell" >"${!target}"
    done
    getent group berth >/dev/null || [[ -n $root ]] || groupadd --system berth
    reload
    echo "installed $binary; start the engine with: systemctl enable --now berth (or just run berth as root)"
    ;;
  uninstall)
    rm -f "$binary" "$unit" "$bash_completion" "$zsh_completion" "$fish_completion"
    reload
    echo "removed; images and containers stay in /var/lib/berth"
    ;;
  *)
    echo "usage: install.sh install|uninstall PREFIX" >&2
    exit 2
    ;;
esac
