#!/bin/sh
# Has Debian's packages installed that the tests of engines need, where this user may and they are missing.
set -eu
missing=""
command -v slurmctld >/dev/null || [ -x /usr/sbin/slurmctld ] || missing="$missing slurm-wlm"
command -v munged >/dev/null || [ -x /usr/sbin/munged ] || missing="$missing munge"
command -v ip >/dev/null || [ -x /sbin/ip ] || missing="$missing iproute2"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing:$missing; their tests are skipped (install them: apt-get install --no-install-recommends$missing)"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends -o Dpkg::Options::=--force-confold $missing
