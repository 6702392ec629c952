if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1
    systemd-tmpfiles --create /usr/lib/tmpfiles.d/supervisor.conf >/dev/null 2>&1
fi
# Whether a new service starts with the machine is what the distribution's presets say.
if [ "$1" -eq 1 ] && command -v systemctl >/dev/null 2>&1; then
    systemctl preset supervisord.service >/dev/null 2>&1
fi
exit 0
