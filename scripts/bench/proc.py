"""What the kernel says about processes."""
import os
import socket
import statistics
import time

now = time.perf_counter
TICK = os.sysconf("SC_CLK_TCK")


def text_of(path):
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return b""


def stat(pid):
    """State letter, parent and seconds of processor time; None when there is no such process."""
    text = text_of(f"/proc/{pid}/stat")
    if not text:
        return None
    fields = text[text.rindex(b")") + 2:].split()
    return fields[0].decode(), int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK


def is_alive(pid):
    known = stat(pid)
    return known is not None and known[0] not in "ZX"


def command_of(pid):
    return text_of(f"/proc/{pid}/cmdline").rstrip(b"\0").split(b"\0")


def children_of(pid):
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(child) for thread in threads for child in text_of(f"/proc/{pid}/task/{thread}/children").split()]


def family_of(pid):
    """A process and everything below it."""
    family = [pid]
    for member in family:
        family.extend(children_of(member))
    return family


def pss_kib(pids):
    lines = (line for pid in pids for line in text_of(f"/proc/{pid}/smaps_rollup").splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith(b"Pss:"))


def switches(pids):
    """Context switches of all threads so far."""
    total = 0
    for pid in pids:
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for thread in threads:
            lines = text_of(f"/proc/{pid}/task/{thread}/status").splitlines()
            total += sum(int(line.split()[1]) for line in lines if b"ctxt_switches" in line)
    return total


def cpu_secs(pids):
    """Processor time so far, as exact as the kernel counts it."""
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            counts = text_of(f"/proc/{pid}/task/{thread}/schedstat").split()
            total += int(counts[0]) / 1e9 if counts else 0
    return total


def wait_until(is_so, what, timeout_secs=240, pause_secs=0.0005):
    """Looks again and again; answers the time at which it was so."""
    end = now() + timeout_secs
    while not is_so():
        if now() > end:
            raise TimeoutError(f"waited {timeout_secs} s for {what}")
        if pause_secs:
            time.sleep(pause_secs)
    return now()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Connection:
    """XML-RPC over one kept connection; answers are not parsed, because that would be our own time."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, method, *params):
        """One call: seconds until the whole answer is there, and the answer."""
        values = "".join(f"<param>\n{self.value(param)}</param>\n" for param in params)
        body = (f"<?xml version='1.0'?>\n<methodCall>\n<methodName>{method}</methodName>\n"
                f"<params>\n{values}</params>\n</methodCall>\n")
        head = f"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        begin = now()
        self.socket.sendall((head + body).encode())
        answer = b""
        parts = []
        while b"</methodResponse>" not in answer[-64:]:
            part = self.socket.recv(1 << 18)
            if not part:
                raise OSError(f"{method}: the connection was closed")
            parts.append(part)
            answer = answer[-64:] + part
        return now() - begin, b"".join(parts)

    @staticmethod
    def value(param):
        if isinstance(param, bool):
            return f"<value><boolean>{int(param)}</boolean></value>\n"
        return f"<value><string>{param}</string></value>\n"

    def median(self, method, count):
        self.call(method)
        return statistics.median(self.call(method)[0] for _ in range(count))
