#!/bin/sh
# Has Debian's packages installed that the tests of services need, where this user may and they are missing.
set -eu
missing=""
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v ab >/dev/null || missing="$missing apache2-utils"
command -v chromium >/dev/null || missing="$missing chromium"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing:$missing; their tests are skipped (install them: apt-get install --no-install-recommends$missing)"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# The packages start their servers; the tests start their own.
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confold $missing
