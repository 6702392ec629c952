#!/bin/sh
# Starts the installer beside this script when its execute bit was lost on the way:  sh install.sh [options]
# Nothing is copied to /tmp, which is often mounted noexec.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
installer=$here/install

say() { # say ENGLISH CHINESE
    case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
        zh*.[Gg][Bb]*) printf '%s\n' "$1" >&2 ;;
        zh*) printf '%s\n' "$2" >&2 ;;
        *) printf '%s\n' "$1" >&2 ;;
    esac
}

if [ ! -f "$installer" ]; then
    say "$installer is missing. Unpack the whole bundle again." \
        "缺少文件 $installer。请重新解压完整的安装包。"
    exit 4
fi
arch=$(sed -n 's/^ *"arch": "\([^"]*\)".*/\1/p' "$here/manifest.json" 2>/dev/null)
host=$(uname -m)
if [ -n "$arch" ] && [ "$arch" != "$host" ]; then
    say "This bundle is for $arch, but this machine is $host. Get the bundle that ends in linux-$host.tgz." \
        "此安装包适用于 $arch，而本机是 $host。请使用文件名以 linux-$host.tgz 结尾的安装包。"
    exit 5
fi
if [ ! -x "$installer" ] && ! chmod 0755 "$installer"; then
    say "$installer cannot be made executable. Copy the whole folder to a local disk, for example /opt, and run it there." \
        "无法为 $installer 添加执行权限。请将整个目录复制到本地磁盘（例如 /opt）后再运行。"
    exit 11
fi
"$installer" "$@"
code=$?
if [ "$code" -eq 126 ]; then
    say "The system refused to run $installer. If its file system is mounted noexec, copy the folder to /opt and run it there. On Kylin, as root: kysec_set -n exectl -v verified $installer" \
        "系统拒绝运行 $installer。若所在文件系统以 noexec 挂载，请将目录复制到 /opt 后再运行。麒麟系统请以 root 执行：kysec_set -n exectl -v verified $installer"
    exit 11
fi
exit "$code"
