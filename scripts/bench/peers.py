"""The supervisors that are compared: how each is told what to run, and what of it is measured."""
import glob
import os
import pathlib
import shutil
import signal
import subprocess
import time

from proc import (children_of, command_of, cpu_secs, family_of, free_port, is_alive, now, switches, text_of,
                  wait_until)

MIB = 1024 * 1024


class Program:
    """One thing to be run."""

    def __init__(self, name, words, log=None, autostart=True):
        self.name, self.words, self.log, self.autostart = name, words, log, autostart


class Peer:
    """A supervisor that understands Supervisor's configuration."""

    label = "ours"
    nothing = "NONE"
    has_rpc = True
    names_states = True
    stop_signal = signal.SIGTERM

    def __init__(self, daemon, client, also=()):
        self.daemon, self.client, self.also = str(daemon), str(client), also

    def prepare(self, folder, programs, port):
        text = [f"""[unix_http_server]
file={folder}/sock
[inet_http_server]
port=127.0.0.1:{port}
[supervisord]
logfile={folder}/log
pidfile={folder}/pid
childlogdir={folder}
minfds={1024 + 3 * len(programs)}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/sock
"""]
        for program in programs:
            text.append(f"""[program:{program.name}]
command={' '.join(program.words)}
autostart={str(program.autostart).lower()}
autorestart=true
stdout_logfile={program.log or self.nothing}
stdout_logfile_maxbytes=50MB
stderr_logfile={self.nothing}
""")
        (folder / "conf").write_text("".join(text))
        return [self.daemon, "-n", "-c", f"{folder}/conf"]

    def status_command(self, folder):
        return [self.client, "-c", f"{folder}/conf", "status"]

    def log_files(self, log):
        return glob.glob(f"{log}*")

    def size_bytes(self):
        return sum(os.path.getsize(path) for path in {os.path.realpath(self.daemon), *map(str, self.also)})


class Stock(Peer):
    label = "stock 4.3.0"

    def size_bytes(self):
        """With Python's own library, which it needs; without pip and tests."""
        site = pathlib.Path(glob.glob(f"{pathlib.Path(self.daemon).parent.parent}/lib/python3*/site-packages")[0])
        python = os.path.realpath(site.parents[2] / "bin/python3")
        library = pathlib.Path(python).parent.parent / "lib" / site.parent.name
        left_out = ("test", "site-packages", "idlelib", "tkinter", "ensurepip", "__pycache__")
        sizes = [os.path.getsize(python)]
        for top in (site / "supervisor", library):
            for where, folders, files in os.walk(top):
                folders[:] = [folder for folder in folders if not folder.startswith(left_out)]
                sizes += [os.lstat(os.path.join(where, file)).st_size for file in files]
        return sum(sizes)


class Go(Peer):
    label = "Go"
    nothing = "/dev/null"
    names_states = False

    def prepare(self, folder, programs, port):
        super().prepare(folder, programs, port)
        return [self.daemon, "-c", f"{folder}/conf"]

    def status_command(self, folder):
        return [self.daemon, "-c", f"{folder}/conf", "ctl", "status"]


class Folders(Peer):
    """A folder for each program, and a process of its own that supervises it."""

    has_rpc = False
    names_states = False
    packages = ()

    def logger(self, program):
        raise NotImplementedError

    def prepare(self, folder, programs, port):
        services = folder / "services"
        services.mkdir()
        for program in programs:
            service = services / program.name
            service.mkdir()
            self.script(service / "run", program.words)
            if program.log:
                (service / "log").mkdir()
                os.makedirs(program.log)
                self.script(service / "log/run", self.logger(program))
        # A folder that was changed in this very second is looked at again a second later.
        past = time.time() - 60
        os.utime(services, (past, past))
        return self.command(str(services))

    @staticmethod
    def script(path, words):
        path.write_text("#!/bin/sh\nexec " + " ".join(words) + "\n")
        path.chmod(0o755)

    def log_files(self, log):
        return glob.glob(f"{log}/current") + glob.glob(f"{log}/@*")

    def size_bytes(self):
        query = ["dpkg-query", "-W", "-f", "${Installed-Size}\n", *self.packages]
        output = subprocess.run(query, capture_output=True, text=True, check=False).stdout
        return sum(int(line) * 1024 for line in output.split())


class S6(Folders):
    label = "s6"
    packages = ("s6", "libs6-*", "libskarnet*", "libexecline*")

    def command(self, services):
        return [self.daemon, "-c", "6000", services]

    def logger(self, program):
        return ["s6-log", "n10", f"s{50 * MIB}", program.log]


class Runit(Folders):
    label = "runit"
    packages = ("runit",)
    # With SIGTERM it leaves everything running.
    stop_signal = signal.SIGHUP

    def command(self, services):
        return [self.daemon, "-P", services]

    def logger(self, program):
        pathlib.Path(program.log, "config").write_text(f"s{50 * MIB}\nn10\n")
        return ["svlogd", program.log]


def find_peers(root):
    """Those that are here, ours first, and a line for each that is not."""
    built, stock = root / "target/dist/bin", root / "target/stock/bin"
    peers = [Peer(built / "supervisord", built / "supervisorctl", [built / "install"])]
    missing = []
    if os.environ.get("BENCH_OLD"):
        old = pathlib.Path(os.environ["BENCH_OLD"])
        peers.append(Peer(old / "supervisord", old / "supervisorctl", [old / "install"]))
        peers[-1].label = "before"
    if (stock / "supervisord").exists():
        peers.append(Stock(stock / "supervisord", stock / "supervisorctl"))
    else:
        missing.append("stock 4.3.0: not in target/stock")
    for kind, program in ((Go, "go-supervisord"), (S6, "s6-svscan"), (Runit, "runsvdir")):
        path = shutil.which(program)
        if path:
            peers.append(kind(path, path))
        else:
            missing.append(f"{kind.label}: no `{program}` in PATH")
    return peers, missing


class Life:
    """One daemon with its programs, from its start to its end."""

    def __init__(self, peer, folder, programs):
        self.peer, self.folder, self.programs = peer, folder, programs
        folder.mkdir(parents=True)
        self.port = free_port()
        self.words = {b"\0".join(word.encode() for word in program.words) for program in programs}
        command = peer.prepare(folder, programs, self.port)
        self.begin = now()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True)
        self.pid = self.process.pid
        self.known = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        left = family_of(self.pid) if self.process.poll() is None else []
        for pid in [*left, *self.known]:
            if pid in left or self.is_program(pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_program(self, pid):
        return b"\0".join(command_of(pid)) in self.words

    def all_run(self, count):
        """Whether so many programs have come as far as their own code."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.peer.label} ended: {text_of(self.folder / 'log')[-500:]}")
        pids = children_of(self.pid) if self.peer.has_rpc else family_of(self.pid)
        if len(pids) < count:
            return False
        self.known.update(pid for pid in pids if pid not in self.known and self.is_program(pid))
        return len(self.known) >= count

    def wait_for_children(self):
        count = sum(program.autostart for program in self.programs)
        pause = 0.0005 if count <= 100 else 0.005
        return wait_until(lambda: self.all_run(count), f"{count} children", pause_secs=pause) - self.begin

    def wait_for_running(self):
        count = sum(program.autostart for program in self.programs)
        log = self.folder / "log"
        done = lambda: text_of(log).count(b"entered RUNNING state") >= count
        return wait_until(done, f"{count} in state RUNNING", pause_secs=0.01) - self.begin

    def managers(self):
        return [pid for pid in family_of(self.pid) if not self.is_program(pid)]

    def idle(self, secs):
        managers = self.managers()
        before = switches(managers)
        time.sleep(secs)
        return switches(managers) - before

    def cpu_secs(self):
        return cpu_secs(self.managers())

    def stop(self):
        """Seconds from the signal until the daemon, its helpers and every program are gone."""
        pids = family_of(self.pid)[1:]
        begin = now()
        os.kill(self.pid, self.peer.stop_signal)
        def is_over():
            while pids and not is_alive(pids[-1]):
                pids.pop()
            return self.process.poll() is not None and not pids
        return wait_until(is_over, f"{self.peer.label} to stop", pause_secs=0.001) - begin
