"""What is measured. Each function adds samples to a `Samples`, in seconds, KiB, bytes or plain counts."""
import os
import random
import shutil
import signal
import statistics
import subprocess
import time

from peers import MIB, Life, Program
from proc import Connection, children_of, is_alive, now, pss_kib, wait_until

IDLE_SECS = 10
# After the last child exists: longer than `startsecs`, and than the second after which the daemon gives memory back.
SETTLE_SECS = 3.5
FLOODERS = 4
FLOOD_PROGRAMS = 1000


class Samples:
    """Values by row, number of programs and peer."""

    def __init__(self):
        self.values = {}

    def add(self, row, count, peer, value):
        self.values.setdefault((row, count, peer.label if hasattr(peer, "label") else peer), []).append(value)

    def of(self, row, count, label):
        return self.values.get((row, count, label), [])

    def median(self, row, count, label):
        values = self.of(row, count, label)
        return statistics.median(values) if values else None


class Bench:
    """The folder for scratch files, the helper in C if there is a compiler, and what was measured."""

    def __init__(self, scratch, helper):
        self.scratch, self.helper, self.samples = scratch, helper, Samples()
        self.serial = 0
        # So that nobody else's `sleep` is taken for one of ours.
        self.tag = f"{random.randrange(10**6, 10**7)}"

    def folder(self):
        self.serial += 1
        return self.scratch / str(self.serial)

    def sleepers(self, count):
        return [Program(f"p{index:04}", ["/bin/sleep", f"100000.{self.tag}"]) for index in range(count)]

    def live(self, peer, count, with_idle):
        """A whole life: start, rest, questions, stop."""
        add = lambda row, value: self.samples.add(row, count, peer, value)
        with Life(peer, self.folder(), self.sleepers(count)) as life:
            add("children", life.wait_for_children())
            if peer.names_states:
                add("running", life.wait_for_running())
            time.sleep(SETTLE_SECS)
            managers = life.managers()
            add("pss", pss_kib(managers))
            if with_idle:
                add("idle", life.idle(IDLE_SECS))
            if peer.has_rpc:
                self.ask(peer, count, life)
            # Not always at the same moment of a loop that looks once a second.
            time.sleep(random.random())
            add("stop", life.stop())

    def ask(self, peer, count, life):
        connection = Connection(life.port)
        for row, method in (("state", "supervisor.getState"), ("all_info", "supervisor.getAllProcessInfo")):
            connection.call(method)
            took, begin = [], now()
            while len(took) < 3 or (len(took) < 50 and now() - begin < 0.5):
                took.append(connection.call(method)[0])
            self.samples.add(row, count, peer, statistics.median(took))
        took = []
        for _ in range(3):
            begin = now()
            lines = subprocess.run(life.peer.status_command(life.folder), stdin=subprocess.DEVNULL,
                                   capture_output=True, check=False).stdout.count(b"\n")
            took.append(now() - begin)
            if lines != count:
                raise RuntimeError(f"{peer.label}: status has {lines} lines, not {count}")
        self.samples.add("status", count, peer, statistics.median(took))

    def restart(self, peer, kills=3):
        """From `kill -9` until the successor has come as far as its own code."""
        with Life(peer, self.folder(), self.sleepers(1)) as life:
            life.wait_for_children()
            for _ in range(kills):
                time.sleep(1.2 + random.random())
                life.known.clear()
                life.all_run(1)
                old = life.known.copy()
                begin = now()
                os.kill(next(iter(old)), signal.SIGKILL)
                is_there = lambda: life.all_run(0) and life.known - old
                took = wait_until(is_there, "the successor", pause_secs=0) - begin
                self.samples.add("restart", 1, peer, took)

    def flood(self, peer, row, count, bytes_each):
        """So many programs write so much at once, until every byte is in the files."""
        with self.floods(peer, [bytes_each] * count) as life:
            life.wait_for_children()
            time.sleep(1.2)
            files = lambda: [path for program in life.programs for path in peer.log_files(program.log)]

            def written():
                try:
                    return sum(os.stat(path).st_size for path in files())
                except FileNotFoundError:
                    return 0  # Rolled between the two looks: the next one tells.

            cpu, begin = life.cpu_secs(), now()
            gate = os.open(life.folder / "gate", os.O_WRONLY)
            took = wait_until(lambda: written() >= count * bytes_each, "all bytes", pause_secs=0.004) - begin
            self.samples.add(f"{row}_cpu", count, peer, life.cpu_secs() - cpu)
            self.samples.add(row, count, peer, took)
            os.close(gate)
            life.stop()

    def floods(self, peer, sizes, quiet=()):
        folder = self.folder()
        gate = folder / "gate"
        writers = [Program(f"w{index:03}", [str(self.helper), "flood", str(size), str(gate)], str(folder / f"w{index:03}.log"))
                   for index, size in enumerate(sizes)]
        # The gate has to be there before the first writer.
        life = Life(_WithGate(peer), folder, [*writers, *quiet])
        life.peer = peer
        return life

    def fair_shares(self, peer):
        """What programs that flood cost everybody else: the same three things without and with them."""
        probe = Program("probe", ["/bin/sleep", f"200000.{self.tag}"], autostart=False)
        with self.floods(peer, [0] * FLOODERS, [probe, *self.sleepers(FLOOD_PROGRAMS)]) as life:
            life.wait_for_children()
            time.sleep(SETTLE_SECS)
            self.delays(peer, life, "quiet")
            gate = os.open(life.folder / "gate", os.O_WRONLY)
            time.sleep(0.5)
            self.delays(peer, life, "flooded")
            os.close(gate)

    def delays(self, peer, life, when):
        add = lambda row, value: self.samples.add(f"{row}_{when}", FLOOD_PROGRAMS, peer, value)
        connection = Connection(life.port)
        for _ in range(100):
            add("reply", connection.call("supervisor.getState")[0])
        for _ in range(20):
            before = set(children_of(life.pid))
            begin = now()
            connection.call("supervisor.startProcess", "probe", False)
            new = lambda: [pid for pid in set(children_of(life.pid)) - before if life.is_program(pid)]
            add("start", wait_until(new, "the probe", pause_secs=0) - begin)
            pid = new()[0]
            begin = now()
            connection.call("supervisor.signalProcess", "probe", "KILL")
            add("signal", wait_until(lambda: not is_alive(pid), "its end", pause_secs=0) - begin)
            gone = lambda: b"STOP" in self.state_of(connection) or b"BACKOFF" in self.state_of(connection)
            wait_until(gone, "the daemon to notice", pause_secs=0.001)
            connection.call("supervisor.stopProcess", "probe")

    @staticmethod
    def state_of(connection):
        return connection.call("supervisor.getProcessInfo", "probe")[1]

    def floors(self, repetitions):
        """The same work done by a program that does nothing else."""
        for _ in range(repetitions):
            up, gone = self.run_helper("children", FLOOD_PROGRAMS)
            self.samples.add("children", 1000, "floor", up)
            self.samples.add("stop", 1000, "floor", gone)
            for row, count, size in (("flood", 1, 512 * MIB), ("floods", 100, 5 * MIB)):
                folder = self.folder()
                folder.mkdir()
                self.samples.add(row, count, "floor", self.run_helper("copy", count, size, folder)[0])
                shutil.rmtree(folder)

    def run_helper(self, *words):
        output = subprocess.run([self.helper, *map(str, words)], capture_output=True, check=True).stdout
        return [float(word) for word in output.split()]


class _WithGate:
    """Makes the named pipe that writers wait for, before their supervisor is started."""

    def __init__(self, peer):
        self.peer = peer

    def prepare(self, folder, programs, port):
        os.mkfifo(folder / "gate")
        return self.peer.prepare(folder, programs, port)
