"""What stock Supervisor makes of configurations: the oracle of tests/it/config/server_options.rs.

The argument is a directory of cases, each a directory with `args` (one a line) and `supervisord.conf`. For each
case, sorted by name: a line `case <name>`, then the resolved settings or the error.
"""

import os
import sys

from supervisor.datatypes import Automatic, RestartUnconditionally, RestartWhenExitUnexpected
from supervisor.events import getEventNameByType
from supervisor.options import ServerOptions

AUTORESTART = {RestartUnconditionally: "Always", RestartWhenExitUnexpected: "Unexpected", False: "Never"}


class Refused(Exception):
    pass


def refuse(message):
    raise Refused(str(message))


def text(value):
    return "None" if value is None else repr(str(value))


def pairs(environment):
    return ", ".join("%r=%r" % pair for pair in environment.items())


def log(process, channel):
    get = lambda key: getattr(process, channel + "_" + key)
    target = "AUTO" if get("logfile") is Automatic else text(get("logfile"))
    numbers = [get("logfile_maxbytes"), get("logfile_backups"), get("capture_maxbytes")]
    return "%s %s %s %s" % (target, numbers, bool(get("events_enabled")), bool(get("syslog")))


def show_process(process):
    print("  process", repr(process.name), repr(process.command))
    # The system call takes twelve bits of a umask such as -1.
    umask = None if process.umask is None else process.umask & 0o7777
    print("    ", text(process.directory), umask, process.uid, process.priority, process.autostart)
    print("    ", AUTORESTART[process.autorestart], process.startsecs, process.startretries, process.exitcodes)
    print("    ", process.stopsignal, process.stopwaitsecs, process.stopasgroup, process.killasgroup)
    print("    ", text(process.serverurl), process.redirect_stderr, pairs(process.environment))
    print("    ", log(process, "stdout"))
    print("    ", log(process, "stderr"))


def show_kind(group):
    """The socket of a FastCGI group, what a listener pool listens to."""
    socket = getattr(group, "socket_config", None)
    if socket is not None:
        uid, gid = (None if number == -1 else number for number in getattr(socket, "owner", None) or (-1, -1))
        print("  socket", repr(socket.url), socket.backlog, getattr(socket, "mode", None), uid, gid)
    if hasattr(group, "pool_events"):
        names = sorted(getEventNameByType(event) for event in group.pool_events)
        handler = group.result_handler
        print("  pool", ",".join(names), group.buffer_size, handler.__module__ + ":" + handler.__name__)


def show_server(server):
    has_auth = bool(server["username"])
    auth = "%r:%r" % (server["username"], server["password"]) if has_auth else "None"
    if "file" in server:
        uid, gid = (None if number == -1 else number for number in server["chown"])
        print("unix", repr(server["section"]), repr(server["file"]), server["chmod"], uid, gid, auth)
    else:
        print("inet", repr(server["section"]), repr(server["host"]), server["port"], auth)


def show(options):
    absolute = lambda path: None if path is None else os.path.abspath(path)
    log = "syslog" if options.logfile == "syslog" else repr(options.logfile)
    print(log, options.logfile_maxbytes, options.logfile_backups, options.loglevel, repr(options.pidfile))
    print(options.umask, bool(options.nodaemon), bool(options.silent), options.minfds, options.minprocs)
    print(bool(options.nocleanup), text(absolute(options.childlogdir)), options.uid, options.gid)
    print(text(absolute(options.directory)), bool(options.strip_ansi), repr(options.identifier))
    print("environment", pairs(options.configroot.supervisord.environment))
    print("rpc", any(name == "supervisor" for name, _, _ in options.rpcinterface_factories))
    for group in options.process_group_configs:
        print("group", repr(group.name), group.priority)
        show_kind(group)
        for process in group.process_configs:
            show_process(process)
    for server in options.server_configs:
        show_server(server)
    for level in ("criticals", "warnings", "infos"):
        for line in getattr(options, "parse_" + level):
            print(level, line)


def main(root):
    for case in sorted(os.listdir(root)):
        print("case", case)
        directory = os.path.join(root, case)
        args = open(os.path.join(directory, "args")).read().splitlines()
        options = ServerOptions()
        options.usage = refuse
        try:
            options.realize(["-c", os.path.join(directory, "supervisord.conf")] + args, doc="", progname="supervisord")
            show(options)
        except Refused as refused:
            print("refused", refused)


main(sys.argv[1])
