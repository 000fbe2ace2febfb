#!/bin/sh
# The tests start a throw-away PostgreSQL cluster. Installs the binaries where that is possible
# (Debian, root); elsewhere the tests name what they leave out.
set -eu
if command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing PostgreSQL for the storage tests ..."
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends postgresql) >/dev/null 2>&1 ||
        echo "PostgreSQL could not be installed: its tests will be named as left out."
else
    echo "PostgreSQL is not here and cannot be installed without root: its tests will be named as left out."
fi
