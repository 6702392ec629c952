"""An event listener that writes down what it is told: listener.py [<behaviour>...]

Each event goes to <process name>.events, without what differs from run to run, and is answered as the next behaviour says;
after the last one every event is processed.

  ok           it is processed
  fail         it is rejected
  answer=<s>   <s> is said instead of a result
  wait=<file>  as soon as <file> is there, it is processed
  die          the listener ends without an answer
  deaf         it is processed, and the standard input is closed
  bytes        from now on a length is a number of bytes
"""
import os
import re
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))


def say(text):
    os.write(1, text.encode())


def read(length):
    data = b""
    while len(data) < length:
        piece = os.read(0, length - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def read_payload(length, counts_bytes):
    data = read(length)
    while not counts_bytes:
        missing = length - len(data.decode(errors="ignore"))
        if missing <= 0:
            break
        data += read(1)
    return data.decode()


def write_down(name, header, payload):
    payload = re.sub(r"\bpid:[1-9]\d*", "pid:N", payload)
    payload = re.sub(r"\bwhen:\d+", "when:N", payload)
    # A process id has as many digits as it likes.
    header = re.sub(r"len:\d+", "len:N", header) if "pid:N" in payload else header
    with open(os.path.join(FOLDER, name + ".events"), "a") as log:
        log.write(f"{header}\n{payload}\n")


def answer(behaviour):
    what, _, value = behaviour.partition("=")
    if what == "die":
        os._exit(1)
    while what == "wait" and not os.path.exists(os.path.join(FOLDER, value)):
        time.sleep(0.02)
    if what == "answer":
        say(value.encode().decode("unicode_escape"))
    else:
        say("RESULT 4\nFAIL" if what == "fail" else "RESULT 2\nOK")


def main():
    name, behaviours = os.environ["SUPERVISOR_PROCESS_NAME"], sys.argv[1:]
    counts_bytes = "bytes" in behaviours
    behaviours = [one for one in behaviours if one != "bytes"]
    # A listener that ends is to go on where it was, not to end again.
    done = os.path.join(FOLDER, name + ".behaved")
    while True:
        say("READY\n")
        header = b""
        while not header.endswith(b"\n"):
            header += read(1)
        header = header.decode().rstrip("\n")
        fields = dict(pair.split(":", 1) for pair in header.split(" "))
        write_down(name, header, read_payload(int(fields["len"]), counts_bytes))
        at = os.path.getsize(done) if os.path.exists(done) else 0
        with open(done, "a") as count:
            count.write(".")
        behaviour = behaviours[at] if at < len(behaviours) else "ok"
        if behaviour == "deaf":
            os.close(0)
            say("RESULT 2\nOKREADY\n")
            time.sleep(1000)
        answer(behaviour)


main()
