"""Answers, one line each, what Python makes of the texts in a file: the oracle of tests/it/config/oracle.rs.

A request is `<operation> <hex of the text>`, a reply the hex of the answer.
"""

import configparser
import io
import os.path
import shlex
import sys

NAMES = {"here": "/etc/x", "program_name": "café", "ENV_A": "a'b%d", "process_num": 7, "numprocs": -12, "": "empty"}


def ini(text):
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    for part in text.split("\0"):
        parser.read_file(io.StringIO(part, newline=None), "f.conf")
    return repr(dict(parser._defaults)) + repr({k: dict(v) for k, v in parser._sections.items()})


def environment(text):
    lexer = shlex.shlex(text, posix=True)
    lexer.wordchars += "/.+-():"
    tokens = list(lexer)
    variables = {}
    for at in range(0, len(tokens), 4):
        three = tokens[at : at + 3]
        if len(three) != 3 or three[1] != "=":
            raise ValueError("Unexpected end of key/value pairs in value '%s'" % text)
        variables[three[0]] = three[2]
    return repr(variables)


def expand(text):
    try:
        return text % NAMES
    except KeyError as error:
        return "E unknown " + str(error)


def octal(text):
    try:
        return str(int(text, 8) & 0o7777)
    except ValueError:
        raise ValueError("%s can not be converted to an octal type" % text)


def byte_size(text):
    from supervisor.datatypes import byte_size

    return str(byte_size(text))


def url(text):
    from supervisor.datatypes import url

    return url(text)


OPERATIONS = {
    "ini": ini,
    "environment": environment,
    "split": lambda text: repr(shlex.split(text)),
    "expand": expand,
    "integer": lambda text: str(int(text)),
    "octal": octal,
    "byte_size": byte_size,
    "url": url,
    "repr": repr,
    "bytes": lambda text: repr(text.encode()),
    "normal": lambda text: os.path.normpath(text) + " " + os.path.dirname(text),
}

for line in open(sys.argv[1]):
    operation, text = line.rstrip("\n").split(" ")
    try:
        answer = OPERATIONS[operation](bytes.fromhex(text).decode())
    except Exception as error:
        answer = "E " + str(error)
    print(answer.encode().hex())
