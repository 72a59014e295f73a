#!/usr/bin/env bash
# `make install` and `make uninstall`: install.sh install|uninstall DESTDIR PREFIX.
# The program goes to PREFIX/bin. On Linux the unit goes to PREFIX/lib/systemd/system
# and the settings, all commented out, to /etc/wadi (PREFIX/etc/wadi when PREFIX is not
# /usr or /usr/local). Settings that were changed are never overwritten or removed.
set -euo pipefail
cd "$(dirname "$0")/.."
what=$1 destdir=$2 prefix=$3
bin=$prefix/bin/wadi
unit=$prefix/lib/systemd/system/wadi.service
case $prefix in
/usr | /usr/local) sysconf=/etc ;;
*) sysconf=$prefix/etc ;;
esac
settings=$sysconf/wadi/wadi.yaml

# systemd is told only on the machine itself, as root.
running=''
if [ -z "$destdir" ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then running=yes; fi

case $what in
install)
  install -d "$destdir$prefix/bin"
  install -m 0755 bin/wadi "$destdir$bin"
  if [ "$(uname)" = Linux ]; then
    install -d "$destdir$(dirname "$unit")" "$destdir$(dirname "$settings")"
    sed -e "s|@BINDIR@|$prefix/bin|g" -e "s|@SYSCONFDIR@|$sysconf|g" packaging/wadi.service >"$destdir$unit"
    chmod 0644 "$destdir$unit"
    if [ ! -e "$destdir$settings" ]; then install -m 0644 packaging/wadi.yaml "$destdir$settings"; fi
    if [ -n "$running" ]; then
      systemctl daemon-reload
      echo "start the server: systemctl enable --now wadi; a token: wadi --data /var/lib/wadi token create NAME --scope ingest,query"
    fi
  fi
  ;;
uninstall)
  if [ -n "$running" ] && [ -e "$unit" ]; then systemctl disable --now wadi.service || true; fi
  rm -f "$destdir$bin" "$destdir$unit"
  if cmp -s packaging/wadi.yaml "$destdir$settings"; then
    rm -f "$destdir$settings"
    rmdir "$destdir$(dirname "$settings")" 2>/dev/null || true
  elif [ -e "$destdir$settings" ]; then
    echo "your settings stay: $destdir$settings"
  fi
  if [ -n "$running" ]; then systemctl daemon-reload; fi
  ;;
*)
  echo "install.sh: use install or uninstall" >&2
  exit 2
  ;;
esac
