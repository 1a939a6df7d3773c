"""`python -m twenty_conform`: runs the program with the same arguments, and ends with its status."""

import os
import subprocess
import sys

from .program import packaged_program


def main():
    try:
        command = [packaged_program(), *sys.argv[1:]]
        if os.name != "nt":
            # The program takes the place of this process, so that signals and the status are its own.
            os.execv(command[0], command)
        process = subprocess.Popen(command)
    except OSError as why:
        path = getattr(why, "filename", None)
        sys.exit(f"error: {f'cannot run {path}: {why.strerror}' if path else why}")
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The program got Ctrl-C too, and ends by itself.
            pass


if __name__ == "__main__":
    sys.exit(main())
