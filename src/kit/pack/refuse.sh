# One host, one owner of the files: what ./install put there is removed by it, or upgraded from its next bundle.
for change in /var/lib/supervisor-install/generations/* /var/lib/supervisor-install/active; do
    if [ -e "$change" ]; then
        say "this host was installed from a bundle. Remove that first (supervisor-install uninstall; configuration and logs stay), then install the package again." \
            "本机已通过安装包（tgz）安装。请先运行 supervisor-install uninstall（配置和日志会保留），再安装此软件包。"
        exit 1
    fi
done
