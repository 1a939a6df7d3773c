"""The program twenty-conform, as it is installed with this package."""

import os
import shutil
import sys
import sysconfig

__all__ = ["find_program"]


def find_program():
    """The path of the program that belongs to this package.

    It is where pip put the scripts of this environment, of the user, or of `pip install --target`; else the one in PATH. Raises
    FileNotFoundError, whose text says what to do, if there is none.
    """
    name = "twenty-conform" + (sysconfig.get_config_var("EXE") or "")
    folders = [sysconfig.get_path("scripts")]
    user = "nt_user" if os.name == "nt" else "posix_user"
    if user in sysconfig.get_scheme_names():
        folders.append(sysconfig.get_path("scripts", scheme=user))
    # `pip install --target` and `--prefix` put both beside each other.
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
        f"twenty-conform's program is in none of {', '.join(folders)}; install it again: "
        f"{os.path.basename(sys.executable) or 'python'} -m pip install --force-reinstall twenty-conform"
    )
