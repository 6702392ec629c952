#!/usr/bin/env python3
"""Records what stock Supervisor does with random programs, so that ours can be held against it.

Usage: record.py SEED STEPS OUTPUT   (run by the Python of a virtual environment that has Supervisor 4.3.0)

The real `supervisor.process.Subprocess` lives many short lives under a fake clock and a scripted operating system
(doubles.py). The same seed gives the same bytes. The trace is text, fields separated by tabs:

    P  key=value ...                                     a new program, never started, supervisor mood RUNNING
    S  ms  action  answer  state backoff pid exitstatus laststart laststop  spawnerr  effect ...  [# divergence]

`ms` is the time since the life began at EPOCH_SECS; `laststart` and `laststop` are whole seconds since 1970, 0 for never.
`action` is one of
    transition    what the main loop does with a process each turn
    spawn, stop   by request, in the states in which the RPC interface lets them through
    signal N      likewise
    give_up       the supervisor stops and the process is in BACKOFF
    finish W      the child was reaped with wait status W
    mood M        the supervisor is RESTARTING 0 or SHUTDOWN -1 from now on; there is no way back to RUNNING 1
`answer` is what the operating system says in this step: spawn and kill, each `ok` or where and how it fails.
An effect is `E name payload` (event), `L level text` (activity log) or `K pid signal` (a negative pid is a group).
A step that ends in `# id` is one in which we differ on purpose: the reader says what to expect instead.
"""

import random
import sys
from types import SimpleNamespace

from supervisor.datatypes import RestartUnconditionally, RestartWhenExitUnexpected
from supervisor.options import VERSION
from supervisor.process import Subprocess
from supervisor.states import ProcessStates as State
from supervisor.states import getProcessStateDescription

import doubles
from doubles import EPOCH_SECS, MS_PER_TICK, TICKS_PER_SEC, Answers

AUTORESTART = {"never": False, "unexpected": RestartWhenExitUnexpected, "always": RestartUnconditionally}
STEPS_PER_LIFE_MAX = 120

#: Ours waits so long between two starts by autorestart, and between two SIGKILLs; Supervisor does not.
RESTART_INTERVAL_SECS = 1


def random_settings(rng):
    """A program, leaning to small numbers so that every limit is reached within a life."""
    return {
        "startsecs": rng.choice((0, 0, 1, 1, 1, 2, 3, 10)),
        "startretries": rng.choice((0, 0, 1, 2, 3, 3, 5)),
        "autostart": rng.random() < 0.7,
        "autorestart": rng.choice(sorted(AUTORESTART)),
        "exitcodes": rng.choice(((0,), (0,), (0, 2), (), (1, 3, 255))),
        "stopsignal": rng.choice((15, 15, 2, 1, 3, 9, 10, 12)),
        "stopwaitsecs": rng.choice((0, 1, 2, 3, 10)),
        "stopasgroup": rng.random() < 0.3,
        "killasgroup": rng.random() < 0.3,
        "priority": rng.choice((-1, 1, 500, 999)),
    }


def header(name, settings):
    fields = {"name": name, "group": name + "s"} | settings
    fields["exitcodes"] = ",".join(map(str, settings["exitcodes"]))
    return "P\t" + "\t".join("%s=%s" % (key, int(v) if isinstance(v, bool) else v) for key, v in fields.items())


class Life:
    """One program from its first start to wherever chance leads it."""

    def __init__(self, rng, number):
        self.rng = rng
        self.clock = doubles.Clock()
        self.options = doubles.Options(self.clock)
        self.journal = self.options.logger
        doubles.install(self.clock, self.journal)
        settings = random_settings(rng)
        name = "p%d" % number
        self.header = header(name, settings)
        self.settings = SimpleNamespace(**settings)
        settings["autorestart"] = AUTORESTART[settings["autorestart"]]
        self.process = Subprocess(doubles.Config(self.options, {"name": name, **settings}))
        self.process.group = doubles.Group(name + "s")
        self.sigkill_sent = False
        # Some programs are healthy and some are not: failures that come in a row are what BACKOFF and FATAL are made of.
        self.spawn_failure_odds = rng.choice((0.0, 0.05, 0.3, 0.9))
        self.kill_failure_odds = rng.choice((0.0, 0.1, 0.3))
        self.exit_odds = rng.choice((0.1, 0.3, 0.7))

    def run(self, lines):
        """Appends the lines of this life, and returns how many steps it had."""
        lines.append(self.header)
        steps = self.rng.randint(10, STEPS_PER_LIFE_MAX)
        for step in range(steps):
            self.advance_clock()
            line, ends = self.step(self.choose_action())
            lines.append(line)
            if ends:
                return step + 1
        return steps

    def advance_clock(self):
        """By nothing, by a little, by a lot, or to just around the next moment that matters."""
        process, rng = self.process, self.rng
        kind = rng.random()
        if kind < 0.15:
            return
        if self.restart_is_early() and kind < 0.95:
            self.clock.ticks = int((process.laststart - EPOCH_SECS + RESTART_INTERVAL_SECS) * TICKS_PER_SEC)
            return
        if kind < 0.5:
            self.clock.ticks += rng.randint(1, TICKS_PER_SEC)
            return
        deadline = process.delay
        if process.state == State.STARTING:
            deadline = process.laststart + process.config.startsecs
        due = int((deadline - EPOCH_SECS) * TICKS_PER_SEC) + rng.choice((-1, 0, 0, 1, 1, 1))
        if kind < 0.93 and due > self.clock.ticks:
            self.clock.ticks = due
        else:
            self.clock.ticks += rng.randint(1, 15 * TICKS_PER_SEC)

    def choose_action(self):
        """One that can happen in this state, as the RPC interface and the main loop would have it."""
        state, draw, rng = self.process.state, self.rng.random(), self.rng
        if draw < 0.005 and self.options.mood >= 0:
            return "mood", rng.choice((self.options.mood - 1, -1))
        if self.process.pid and draw < 0.4 * self.exit_odds:
            return "finish", self.random_wait_status()
        draw = rng.random()
        if state in (State.RUNNING, State.STARTING, State.STOPPING) and draw < 0.06:
            return "signal", rng.choice((1, 2, 10, 12, 15, 28, 35, 64))
        if state in (State.RUNNING, State.STARTING, State.BACKOFF) and draw < 0.16:
            return "stop", None
        if state == State.BACKOFF and draw < 0.20:
            return "give_up", None
        if state in (State.STOPPED, State.EXITED, State.FATAL) and draw < 0.40:
            return "spawn", None
        return "transition", None

    def random_wait_status(self):
        rng, kind = self.rng, self.rng.random()
        if kind < 0.7:
            return rng.choice((0, 0, 0, 1, 2, 3, 127, 255)) << 8
        if kind < 0.98:
            return rng.choice((1, 2, 6, 9, 9, 11, 15, 15, 17, 29, 31, 34, 35, 63, 64)) | rng.choice((0, 0, 0x80))
        return rng.choice((0x137F, 0x057F))  # "stopped": wait never reports it to Supervisor, but it has a text for it

    def random_answers(self):
        rng = self.rng
        spawn = rng.choice(Answers.SPAWN_FAILURES) if rng.random() < self.spawn_failure_odds else "ok"
        kill = rng.choice(("ESRCH", "ESRCH", "EPERM")) if rng.random() < self.kill_failure_odds else "ok"
        return Answers(spawn, kill)

    def step(self, action):
        """Does one thing; returns its line, and whether stock's later behaviour is no longer comparable."""
        name, argument = action
        self.options.answers = self.random_answers()
        self.journal.effects = effects = []
        divergence, ends = self.expected_divergence(name)
        if name == "mood":
            self.options.mood = argument
        elif name == "finish":
            self.process.finish(self.process.pid, argument)
        elif name == "signal":
            self.process.signal(argument)
        else:
            getattr(self.process, name)()
        process = self.process
        if process.state == State.UNKNOWN:
            divergence, ends = "kill-refused", True
        if process.state == State.STOPPED and process.backoff:
            # Ours forgets the failed tries when it is stopped, and notes the time even if no child had to go. Doing the same
            # here keeps the rest of the life comparable.
            divergence, process.backoff, process.laststop = "stop-resets", 0, self.clock.time()
        self.sigkill_sent = process.state == State.STOPPING and (self.sigkill_sent or name == "transition" and bool(effects))
        fields = [
            "S", "%d" % (self.clock.ticks * MS_PER_TICK),
            name if argument is None else "%s %d" % action,
            "%s %s" % (self.options.answers.spawn, self.options.answers.kill),
            "%s %d %d %s %d %d" % (getProcessStateDescription(process.state), process.backoff, process.pid,
                                   "-" if process.exitstatus is None else process.exitstatus,
                                   process.laststart, process.laststop),
            process.spawnerr or "-",
        ]
        fields += effects
        if divergence:
            fields.append("# " + divergence)
        return "\t".join(fields), ends

    def expected_divergence(self, name):
        """Names the way in which stock is known to go astray in this step, and whether it ends the comparison."""
        process = self.process
        if name == "finish" and process.laststart == self.clock.time():
            return "same-instant", process.state == State.STARTING and process.config.startsecs > 0
        if name == "transition" and self.restart_is_early():
            return "restart-interval", True
        if name == "transition" and process.state == State.STOPPING and self.sigkill_sent and not process.config.stopwaitsecs:
            self.options.answers.kill = "ok"
            return "sigkill-storm", False
        return None, False

    def restart_is_early(self):
        """Whether autorestart would start the process again sooner after its last start than ours allows."""
        process = self.process
        if process.state != State.EXITED or self.options.mood < 1 or not process.config.autorestart:
            return False
        if process.config.autorestart is RestartWhenExitUnexpected and process.exitstatus in process.config.exitcodes:
            return False
        return self.clock.time() < process.laststart + RESTART_INTERVAL_SECS


def main():
    seed, steps_wanted, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if VERSION != "4.3.0":
        sys.exit("record.py: needs Supervisor 4.3.0 in its environment, found %s" % VERSION)
    rng = random.Random(seed)
    steps = lives = 0
    with open(path, "w", encoding="ascii") as output:
        while steps < steps_wanted:
            lines = []
            steps += Life(rng, lives).run(lines)
            lives += 1
            output.write("\n".join(lines) + "\n")
    print("%d steps of %d programs" % (steps, lives))


if __name__ == "__main__":
    main()
