#!/bin/sh
set -e
# Not in an upgrade: then the programs go on, and postinst asks the policy.
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    if command -v deb-systemd-invoke >/dev/null; then
        deb-systemd-invoke stop supervisor.service supervisor-programs.service >/dev/null || true
    fi
fi
