"""Loads a locustfile without locust: `stubs.load(PATH)`."""

import importlib.util
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

sys.dont_write_bytecode = True


def keep(listener):
    return listener


class MasterRunner:
    pass


def load(path):
    for name in ("gevent", "locust.log", "locust.exception", "geventhttpclient", "geventhttpclient.response"):
        sys.modules[name] = MagicMock()
    log = MagicMock(unhandled_greenlet_exception=False)
    sys.modules["locust.log"] = log
    sys.modules["locust.runners"] = SimpleNamespace(MasterRunner=MasterRunner, WorkerRunner=type("WorkerRunner", (), {}))
    events = MagicMock()
    for event in ("init", "test_start", "test_stopping", "init_command_line_parser"):
        getattr(events, event).add_listener = keep
    sys.modules["locust"] = SimpleNamespace(FastHttpUser=object, events=events, task=keep, log=log)
    spec = importlib.util.spec_from_file_location("locustfile", path)
    locustfile = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(locustfile)
    locustfile.metadata = SimpleNamespace(version=lambda _: "0")
    return locustfile
