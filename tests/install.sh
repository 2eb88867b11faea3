#!/bin/sh
# Has Debian's packages installed, where this user may and they are missing: each argument is PROGRAM=PACKAGE, the program a
# name or a pattern of paths. The packages start their servers; the tests start their own.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
missing=""
for each; do
    # shellcheck disable=SC2086
    command -v ${each%%=*} >/dev/null || ls ${each%%=*} >/dev/null 2>&1 || missing="$missing ${each#*=}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing:$missing; their tests are skipped (install them: apt-get install --no-install-recommends$missing)"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confold $missing
