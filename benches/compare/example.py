"""The example receiver on Node's http module with code added, and processes that keep the processors busy."""

import contextlib
import os
import re
import subprocess
import sys

SERVER = os.path.join(os.path.dirname(__file__), "../../fixtures/implementations/receivers/node-http/server.mjs")
VERIFY = re.compile(r"^function \w+\(headers, body\) \{\n", re.M)  # the example's function that verifies a delivery


def with_code(folder, name, code, prints=True):
    """A command for the example with this code where a delivery is verified. Unless it `prints`, it has no line for each delivery."""
    with open(SERVER, encoding="utf-8") as file:
        source, count = VERIFY.subn(lambda line: line[0] + code, file.read())
    assert count == 1
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source if prints else source.replace("process.stdout.write(", "void ("))
    return f"node {path}"


@contextlib.contextmanager
def busy(count):
    """Keeps that many processors busy."""
    processes = []
    try:
        for _ in range(count):
            processes.append(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait()
