# The package that this one replaces (EPEL's supervisor) stops and disables the service when it goes, after our files came.
rm -f /run/supervisor-kit.before
if [ "$1" -eq 1 ] && [ -d /run/systemd/system ]; then
    for state in enabled active; do
        if systemctl -q "is-$state" supervisord.service 2>/dev/null; then echo $state; fi
    done >/run/supervisor-kit.before
fi
exit 0
