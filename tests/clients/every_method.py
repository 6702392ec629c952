"""Calls every method of a supervisord, well and badly, and prints one line for each call: what was asked, what came back.

Arguments: server URL, user, password, directory of the daemon. Numbers that no two runs share are printed as <number>.
"""

import re
import sys
import time
import xmlrpc.client

from supervisor.xmlrpc import SupervisorTransport

URL, USER, PASSWORD, DIRECTORY = sys.argv[1:]
PATIENCE_SECS = 60
# Members of a process's struct that differ from run to run; a zero is meant and stays.
VARYING = {"now", "start", "stop", "pid"}
# Answers with one struct for each process, in the order in which the processes were done.
UNORDERED = re.compile(r"supervisor\.(start|stop|signal|clear)(AllProcesses|ProcessGroup|AllProcessLogs|Process)$")
# Methods that Supervisor does not have (ARCHITECTURE.md); tests/it/daemon calls them.
OURS = {
    "supervisor.planUpdate",
    "supervisor.scaleProcessGroup",
    "supervisor.updateProcessGroup",
    "supervisor.upgrade",
}

transport = SupervisorTransport(USER, PASSWORD, URL)
server = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
called = set()


def shown(value, key=None):
    """A value with its types, as Python writes it."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (k, shown(value[k], k)) for k in sorted(value))
    if isinstance(value, list):
        return "[%s]" % ", ".join(shown(item) for item in value)
    if key in VARYING and type(value) is int and value:
        return "<number>"
    if isinstance(value, str):
        value = value.replace(DIRECTORY, "{dir}")
        value = re.sub(r"pid \d+, uptime [\d:]+", "pid <number>, uptime <number>", value)
        value = re.sub(r"---python-\w{8}\.log", "---python-<random>.log", value)
        value = re.sub(r"[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M", "<time>", value)
    return repr(value)


def answer(method, params):
    try:
        value = getattr(server, method)(*params)
    except xmlrpc.client.Fault as fault:
        return "fault %d %s" % (fault.faultCode, fault.faultString.replace(DIRECTORY, "{dir}"))
    except xmlrpc.client.ProtocolError as error:
        return "HTTP %d" % error.errcode
    except xmlrpc.client.expat.ExpatError:
        # What is left of the answer would be taken for the next one.
        transport.connection = None
        return "no XML"
    if UNORDERED.match(method) and isinstance(value, list):
        value.sort(key=lambda status: (status["group"], status["name"]))
    if method == "supervisor.getPID" or method.endswith("Log") and "read" in method and "Process" not in method:
        return "<%s>" % type(value).__name__
    if method == "system.methodHelp":
        return "<text>" if len(value) > 10 else shown(value)
    return shown(value)


def call(method, *params):
    called.add(method)
    print("%s%s -> %s" % (method, shown(list(params)), answer(method, params)))


def wait_until(what, condition):
    end = time.time() + PATIENCE_SECS
    while not condition():
        if time.time() > end:
            sys.exit("waited in vain until " + what)
        time.sleep(0.05)


def wait_for_state(name, state):
    wait_until("%s is %s" % (name, state), lambda: server.supervisor.getProcessInfo(name)["statename"] == state)


def about_the_daemon():
    for method in ("getAPIVersion", "getVersion", "getSupervisorVersion", "getIdentification", "getState", "getPID"):
        call("supervisor." + method)
        call("supervisor." + method, 1)
    for method in ("readLog", "readMainLog"):
        for params in ((0, 4), (-4, 0), (0, -1), (-1, 1), (), ("x",), ("x", 0), (0, "x"), (10**6, 0)):
            call("supervisor." + method, *params)
    call("supervisor.sendRemoteCommEvent", "type", "data")
    call("supervisor.sendRemoteCommEvent", "类型", "数据")
    call("supervisor.sendRemoteCommEvent", "type")
    call("supervisor.clearLog", 1)
    call("supervisor.clearLog")


def about_processes():
    wait_for_state("cat", "RUNNING")
    wait_for_state("中文", "RUNNING")
    for name in ("cat", "cat:cat", "idle", "中文", "pair:pair_0", "pair:*", "pair", "pair:", "nope", "nope:*", "cat:nope", ""):
        call("supervisor.getProcessInfo", name)
    call("supervisor.getProcessInfo")
    call("supervisor.getProcessInfo", 7)
    call("supervisor.getProcessInfo", ["cat"])
    call("supervisor.getAllProcessInfo")
    call("supervisor.getAllProcessInfo", "cat")
    call("supervisor.getAllConfigInfo")
    call("supervisor.getAllConfigInfo", 1)


def starting_and_stopping():
    names = ("idle", "idle", "nope", "missing", "notexec", "quick", "pair:*", "nope:*", "cat:nope", "", "中文")
    for verb in ("start", "stop"):
        for name in names:
            call("supervisor.%sProcess" % verb, name)
        call("supervisor.%sProcess" % verb, "idle", False)
        call("supervisor.%sProcess" % verb, "idle", True, 1)
        call("supervisor.%sProcess" % verb)
        call("supervisor.%sProcess" % verb, 7)
        wait_for_state("idle", "RUNNING" if verb == "start" else "STOPPED")
    wait_for_state("pair:pair_1", "STOPPED")
    for verb in ("start", "stop"):
        for name in ("pair", "pair", "nope", ""):
            call("supervisor.%sProcessGroup" % verb, name)
        call("supervisor.%sProcessGroup" % verb)
        call("supervisor.%sProcessGroup" % verb, "pair", True, 1)
    for verb in ("stop", "start"):
        call("supervisor.%sAllProcesses" % verb)
        call("supervisor.%sAllProcesses" % verb, True, 1)
    wait_for_state("cat", "RUNNING")


def signalling():
    for params in (
        ("cat", "CONT"), ("cat", "SIGCONT"), ("cat", "18"), ("cat", 18), ("cat", "NOPE"), ("cat", ""), ("cat", 999),
        ("nope", "CONT"), ("missing", "CONT"), ("pair:*", "CONT"), ("cat",), ("cat", "CONT", 1),
    ):
        call("supervisor.signalProcess", *params)
    for params in (("pair", "CONT"), ("pair", "NOPE"), ("nope", "CONT"), ("pair",)):
        call("supervisor.signalProcessGroup", *params)
    for params in (("CONT",), ("NOPE",), ()):
        call("supervisor.signalAllProcesses", *params)


def standard_input_and_logs():
    call("supervisor.sendProcessStdin", "cat", "line 1 & <tag>\nünï 中文 \U0001f600\n")
    for params in (("nope", "x"), ("missing", "x"), ("cat",), ("cat", 7), ("cat", "x", 1), ("pair:*", "x")):
        call("supervisor.sendProcessStdin", *params)
    expected = len("line 1 & <tag>\nünï 中文 \U0001f600\n".encode())
    wait_until("cat has answered", lambda: server.supervisor.tailProcessStdoutLog("cat", 0, 0)[1] == expected)
    for method in ("readProcessStdoutLog", "readProcessLog", "readProcessStderrLog"):
        for params in (("cat", 0, 0), ("cat", 0, 6), ("cat", 7, 1), ("cat", -5, 0), ("cat", 99, 0), ("cat", -1, 1),
                       ("cat", 0, -1), ("nope", 0, 0), ("idle", 0, 0), ("pair:*", 0, 0), ("cat", 0), ("cat", "a", 0)):
            call("supervisor." + method, *params)
    for method in ("tailProcessStdoutLog", "tailProcessLog", "tailProcessStderrLog"):
        for params in (("cat", 0, 6), ("cat", 0, 100), ("cat", 3, 6), ("cat", 99, 6), ("cat", 0, 0), ("cat", 0, -1),
                       ("nope", 0, 6), ("idle", 0, 6), ("pair:*", 0, 6), ("cat", 0), ("cat", "a", 0)):
            call("supervisor." + method, *params)
    for method in ("clearProcessLogs", "clearProcessLog"):
        for params in (("cat",), ("nope",), ("pair:*",), (), ("cat", 1)):
            call("supervisor." + method, *params)
    call("supervisor.readProcessLog", "cat", 0, 0)
    call("supervisor.clearAllProcessLogs")
    call("supervisor.clearAllProcessLogs", 1)


def groups():
    call("supervisor.reloadConfig")
    call("supervisor.reloadConfig", 1)
    for name in ("cat", "nope", "", "pair:*"):
        call("supervisor.addProcessGroup", name)
    call("supervisor.addProcessGroup")
    for name in ("cat", "nope", ""):
        call("supervisor.removeProcessGroup", name)
    call("supervisor.removeProcessGroup")
    call("supervisor.stopProcess", "cat")
    call("supervisor.removeProcessGroup", "cat")
    call("supervisor.getProcessInfo", "cat")
    call("supervisor.addProcessGroup", "cat")
    with open(DIRECTORY + "/extra.conf", "w") as extra:
        extra.write("[program:extra]\ncommand=/bin/cat\nstartsecs=0\n")
    call("supervisor.reloadConfig")
    call("supervisor.addProcessGroup", "extra")
    wait_for_state("extra", "RUNNING")
    with open(DIRECTORY + "/extra.conf", "w") as extra:
        extra.write("[program:broken]\n")
    call("supervisor.reloadConfig")
    with open(DIRECTORY + "/extra.conf", "w"):
        pass
    call("supervisor.reloadConfig")


def about_methods():
    print("system.listMethods -> %s" % [method for method in server.system.listMethods() if method not in OURS])
    called.add("system.listMethods")
    call("system.listMethods", 1)
    for method in server.system.listMethods():
        if method in OURS:
            continue
        call("system.methodHelp", method)
        call("system.methodSignature", method)
    for method in ("system.methodHelp", "system.methodSignature"):
        for params in (("nope",), ("supervisor",), ("",), (), ("a", "b"), (7,)):
            call(method, *params)
    for method in ("nope", "supervisor.nope", "supervisor._x", "system.__init__", "supervisor.getState.x", "supervisor"):
        print("%s -> %s" % (method, answer(method, [])))


def several_at_once():
    def member(name, *params):
        return {"methodName": name, "params": list(params)}

    call("system.multicall", [
        member("supervisor.getAPIVersion"), member("supervisor.startProcess", "nope"), {"methodName": "supervisor.getState"},
        {}, member("system.multicall", []), member("nope"), member("supervisor.stopProcess", "idle"),
        member("supervisor.startProcess", "idle"), member("supervisor.getProcessInfo", "idle"),
        member("supervisor.getState", 1), member("supervisor.getIdentification"),
    ])
    call("system.multicall", [])
    call("system.multicall")
    call("system.multicall", [], [])
    call("system.multicall", 7)
    call("system.multicall", [7])
    call("system.multicall", "text")
    batch = xmlrpc.client.MultiCall(server)
    batch.supervisor.getAPIVersion()
    batch.supervisor.getIdentification()
    try:
        print("MultiCall -> %s" % shown(list(batch())))
    except Exception as error:
        print("MultiCall -> %s" % type(error).__name__)


def one_connection():
    """Many calls, faults among them, over one socket."""
    server.supervisor.getState()
    first = transport.connection.sock
    for _ in range(200):
        server.supervisor.getAPIVersion()
        answer("supervisor.getProcessInfo", ["nope"])
    print("400 calls over one socket -> %s" % (first is transport.connection.sock))


def ending():
    call("supervisor.restart", 1)
    call("supervisor.restart")
    transport.close()
    transport.connection = None

    def is_up():
        try:
            return server.supervisor.getState()["statename"] == "RUNNING" and \
                server.supervisor.getProcessInfo("idle")["statename"] == "STOPPED"
        except (OSError, xmlrpc.client.Error, xmlrpc.client.expat.ExpatError):
            transport.connection = None
            return False

    wait_until("the daemon is back", is_up)
    call("supervisor.getProcessInfo", "idle")
    call("supervisor.shutdown", 1)
    call("supervisor.shutdown")


about_the_daemon()
about_processes()
starting_and_stopping()
signalling()
standard_input_and_logs()
groups()
several_at_once()
one_connection()
about_methods()
all_methods = set(server.system.listMethods()) - OURS
ending()
print("never called -> %s" % sorted(all_methods - called))
