#!/bin/sh
set -e
@say@
@renew@
unit=supervisor.service
case $1 in
    configure | abort-upgrade | abort-deconfigure | abort-remove)
        if command -v deb-systemd-helper >/dev/null; then
            # Debian's own package, when this one takes its place, masks the unit on its way out.
            deb-systemd-helper unmask $unit >/dev/null || true
            if deb-systemd-helper --quiet was-enabled $unit; then
                deb-systemd-helper enable $unit >/dev/null || true
            else
                deb-systemd-helper update-state $unit >/dev/null || true
            fi
        fi
        if [ -d /run/systemd/system ]; then
            systemd-tmpfiles --create /usr/lib/tmpfiles.d/supervisor.conf >/dev/null || true
            systemctl --system daemon-reload >/dev/null || true
            if [ -n "$2" ]; then
                renew
            fi
            # A no-op for a daemon that runs; a policy of the site (policy-rc.d) and a disabled unit are respected.
            if [ -z "$2" ] && command -v deb-systemd-invoke >/dev/null; then
                deb-systemd-invoke start $unit >/dev/null ||
                    say "supervisord did not start: look at systemctl status supervisor" \
                        "supervisord 未能启动：请查看 systemctl status supervisor"
            fi
        fi
        ;;
esac
