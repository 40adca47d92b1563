#!/bin/bash
# busybox.sh > busybox.tar: the root file system of a small busybox image, from Debian's busybox-static.
# The same package gives the same bytes.
set -euo pipefail
busybox=$(command -v busybox)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
install -d "$root"/{bin,dev,etc,home,proc,sys,usr/bin,usr/sbin,var/spool/mail,var/www}
install -d -m 700 "$root/root"
install -d -m 1777 "$root/tmp"
install -m 755 "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do
  [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
done
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'daemon:x:1:1:daemon:/usr/sbin:/bin/false' \
  'www-data:x:33:33:www-data:/var/www:/bin/false' 'nobody:x:65534:65534:nobody:/home:/bin/false' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'daemon:x:1:' 'adm:x:4:' 'tty:x:5:' 'www-data:x:33:' 'users:x:100:' 'nogroup:x:65534:' >"$root/etc/group"
tar --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner -C "$root" -c .
