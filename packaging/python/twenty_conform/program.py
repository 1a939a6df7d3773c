"""Where the program is, and how this package runs it."""

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig

__all__ = ["find_program"]

# Waits for a line. The pipe ends without one if this process ends first, however that happens; the program is then ended too.
_WATCH = """trap '' HUP INT QUIT TERM; read -r line || { kill "$0"; sleep 2; kill -KILL "$0"; }"""


def find_program():
    """The path of the program for tests: in the variable TWENTY_CONFORM, or else that of this package.

    Raises FileNotFoundError, whose text says what to do, if there is none.
    """
    __tracebackhide__ = True
    given = os.environ.get("TWENTY_CONFORM")
    if not given:
        try:
            return packaged_program()
        except FileNotFoundError as why:
            raise FileNotFoundError(f"{why}, or set the variable TWENTY_CONFORM to its path") from None
    if os.path.isfile(given):
        return given
    raise FileNotFoundError(f"the variable TWENTY_CONFORM has no path of a program: {given}")


def packaged_program():
    """The path of the program that belongs to this package.

    It is where pip put the scripts of this environment, of the user, or of `pip install --target`; else the one in PATH. Raises
    FileNotFoundError, whose text says what to do, if there is none. The command uses this one: the variable may name the command itself.
    """
    __tracebackhide__ = True
    name = "twenty-conform" + (sysconfig.get_config_var("EXE") or "")
    folders = [sysconfig.get_path("scripts")]
    user = "nt_user" if os.name == "nt" else "posix_user"
    if user in sysconfig.get_scheme_names():
        folders.append(sysconfig.get_path("scripts", scheme=user))
    # `pip install --target` and `--prefix` put both next to each other.
    package = os.path.dirname(os.path.abspath(__file__))
    folders.append(os.path.join(os.path.dirname(package), "bin"))
    prefix = os.path.abspath(os.path.join(package, *[os.pardir] * 4))
    folders.append(os.path.join(prefix, "Scripts" if os.name == "nt" else "bin"))
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    found = shutil.which(name)
    if found:
        return found
    raise FileNotFoundError(
        f"twenty-conform's program is neither in {', '.join(dict.fromkeys(folders))} nor in PATH; install the wheel of this system again with "
        f"`{os.path.basename(sys.executable) or 'python'} -m pip install --force-reinstall`"
    )


def environment(secret):
    """The variables of the program. Options of the surroundings are not those of a test. Raises ValueError for a secret that none can have."""
    if not secret or "\0" in secret:
        raise ValueError("the secret is empty" if not secret else "the secret has a NUL character, which no variable can have")
    others = {name: value for name, value in os.environ.items() if not name.startswith("TWENTY_")}
    return {**others, "NO_COLOR": "1", "TWENTY_WEBHOOK_SECRET": secret}


def error_in(said):
    """The error among the lines that the program wrote, as one line without `error: `; all of them if there is none."""
    lines = said.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("error: "):
            words = [line[len("error: ") :]]
            for more in lines[number + 1 :]:
                if not more.startswith("  "):
                    break
                words.append(more.strip())
            return " ".join(words)
    return said.strip()


@contextlib.contextmanager
def ended_with_this_process(process):
    """Has a process ended if this one ends before it, killed or not. On Windows there is no such guard."""
    guard = None
    # An image may have no shell.
    with contextlib.suppress(OSError):
        if os.name != "nt":
            command = ["/bin/sh", "-c", _WATCH, str(process.pid)]
            silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            # In a session of its own, so that Ctrl-C does not end it.
            guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, **silent)
    try:
        yield
    finally:
        if guard:
            guard.communicate(b"\n" if process.poll() is not None else b"")
