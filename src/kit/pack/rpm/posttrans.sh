# The very end of the transaction: no old file is there any more.
if [ -d /run/systemd/system ]; then
    if [ -e /run/supervisor-kit.before ]; then
        while read -r state; do
            case $state in
                enabled) systemctl enable supervisord.service >/dev/null 2>&1 ;;
                active)
                    if ! systemctl start supervisord.service; then
                        say "supervisord did not start again: look at systemctl status supervisord" \
                            "supervisord 未能重新启动：请查看 systemctl status supervisord"
                    fi
                    ;;
            esac
        done </run/supervisor-kit.before
        rm -f /run/supervisor-kit.before
    fi
    renew
fi
exit 0
