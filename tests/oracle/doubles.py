"""The world around a stock `Subprocess`, scripted: a clock that only the recorder moves, and options whose every answer is set in advance.

Supervisor reaches the operating system through its options object alone, so replacing that object (and the clock that
`supervisor.process` sees) is enough to drive the real class through any history in memory.
"""

import errno
import stat

from supervisor import events, process
from supervisor.options import ServerOptions

#: Time is counted in eighths of a second: exact in binary floating point, so that comparisons in the trace are exact too.
TICKS_PER_SEC = 8
MS_PER_TICK = 1000 // TICKS_PER_SEC

#: Wall-clock second at which every life begins.
EPOCH_SECS = 1_000_000_000


class Clock:
    """Stands in for the `time` module inside `supervisor.process`."""

    def __init__(self):
        self.ticks = 0

    def time(self):
        return EPOCH_SECS + self.ticks / TICKS_PER_SEC


class Journal:
    """What one step made Supervisor do, in order, as short tagged texts. It is also the logger."""

    def __init__(self):
        self.effects = []

    def add(self, tag, text):
        # Only a traceback has lines. Its first word group is the message; the rest is Python's business.
        self.effects.append(tag + " " + text.split("Traceback", 1)[0].replace("\n", "\\n"))

    def debug(self, text):
        self.add("L DEBG", text)

    def info(self, text):
        self.add("L INFO", text)

    def warn(self, text):
        self.add("L WARN", text)

    def critical(self, text):
        self.add("L CRIT", text)

    def on_event(self, event):
        self.add("E", events.getEventNameByType(type(event)) + " " + event.payload())


class Answers:
    """How the operating system answers in one step."""

    #: Each way a start can fail, by the name it has in the trace.
    SPAWN_FAILURES = (
        "command:NotFound", "command:IsDirectory", "command:NotExecutable", "command:NoPermission", "command:Empty",
        "command:NoClosingQuotation", "command:NoEscapedCharacter",
        "pipes:EMFILE", "pipes:EACCES", "pipes:EISDIR", "fork:EAGAIN", "fork:ENOMEM",
    )

    def __init__(self, spawn="ok", kill="ok"):
        self.spawn = spawn
        self.kill = kill

    def raise_errno(self, stage):
        """Raises the scripted error when `stage` (pipes or fork) is where this start fails."""
        failing, _, name = self.spawn.partition(":")
        if failing == stage:
            raise_os_error(name)


def raise_os_error(name):
    code = getattr(errno, name)
    raise OSError(code, {"ESRCH": "No such process", "EPERM": "Operation not permitted"}.get(name, name))


class Options:
    """Replaces `ServerOptions` as far as `Subprocess` uses it."""

    COMMAND = "/opt/app/bin/serve --now"
    BROKEN_COMMANDS = {
        "command:Empty": "",
        "command:NoClosingQuotation": "/opt/app/bin/serve 'now",
        "command:NoEscapedCharacter": "/opt/app/bin/serve now\\",
    }
    FILE_MODES = {
        "command:IsDirectory": stat.S_IFDIR | 0o755,
        "command:NotExecutable": stat.S_IFREG | 0o644,
        # The path does not exist on the recording machine, so access(2) refuses it once the mode has passed.
        "command:NoPermission": stat.S_IFREG | 0o755,
    }

    def __init__(self, clock):
        self.clock = clock
        self.logger = Journal()
        self.answers = Answers()
        self.mood = 1
        self.pidhistory = {}
        self.pid_last = 1000

    def stat(self, filename):
        if self.answers.spawn == "command:NotFound":
            raise_os_error("ENOENT")
        return (self.FILE_MODES.get(self.answers.spawn, stat.S_IFREG | 0o755),)

    def check_execv_args(self, filename, argv, st):
        if self.answers.spawn.startswith("command:"):
            ServerOptions.check_execv_args(self, filename, argv, st)

    def fork(self):
        self.answers.raise_errno("fork")
        self.pid_last += 1
        return self.pid_last

    def kill(self, pid, signal):
        self.logger.add("K", "%d %d" % (pid, signal))
        if self.answers.kill != "ok":
            raise_os_error(self.answers.kill)

    def close_parent_pipes(self, pipes):
        pass

    def close_child_pipes(self, pipes):
        pass


class Group:
    """The only thing a process asks of its group is its name."""

    def __init__(self, name):
        self.name = name
        self.config = self


class Config:
    """Replaces `ProcessConfig`; the recorder sets the attributes of a program on it."""

    def __init__(self, options, settings):
        self.options = options
        self.__dict__.update(settings)

    @property
    def command(self):
        return Options.BROKEN_COMMANDS.get(self.options.answers.spawn, Options.COMMAND)

    def make_dispatchers(self, _process):
        self.options.answers.raise_errno("pipes")
        return {}, {}


def install(clock, journal):
    """Puts the doubles where the stock code looks for the clock and for listeners."""
    process.time = clock
    events.clear()
    events.subscribe(events.Event, journal.on_event)
