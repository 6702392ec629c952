if [ "$1" -eq 0 ] && command -v systemctl >/dev/null 2>&1; then
    systemctl disable supervisord.service >/dev/null 2>&1
    if [ -d /run/systemd/system ]; then
        systemctl stop supervisord.service supervisord-programs.service >/dev/null 2>&1
    fi
fi
exit 0
