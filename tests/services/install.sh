#!/bin/sh
# Has Debian's packages installed that the tests of services need.
exec sh "$(dirname "$0")/../install.sh" '/usr/lib/postgresql/*/bin/postgres=postgresql' redis-server=redis-server \
    ab=apache2-utils chromium=chromium
