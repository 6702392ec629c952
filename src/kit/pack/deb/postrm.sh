#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
fi
# Once Debian's own package is back, unit and logs are its.
if [ "$1" = purge ] && [ ! -e /usr/bin/supervisord ]; then
    if command -v deb-systemd-helper >/dev/null; then
        deb-systemd-helper purge supervisor.service >/dev/null || true
        deb-systemd-helper unmask supervisor.service >/dev/null || true
    fi
    rm -rf /var/log/supervisor /var/log/supervisor-install.log
fi
