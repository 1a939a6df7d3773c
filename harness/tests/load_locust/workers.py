"""What a master says of its workers, without locust: python3 workers.py LOCUSTFILE > said.

Each case is a sequence of what the master sees. Each line of stdout is a case: its name, the states of its workers, the reasons,
the exit status, and how many deliveries were sent.
"""

import json
import sys
import tempfile
from types import SimpleNamespace

import stubs

locustfile = stubs.load(sys.argv[1])
OPTIONS = dict(host="http://127.0.0.1:1/", timeout=5, probe_share=0, max_errors=0, fail_on="must", rate=None, warm_up=0, run_time=9)


class Master(stubs.MasterRunner):
    target_user_count, exceptions = 2, {}

    def __init__(self, case):
        self.clients, self.environment = {}, case


class Case:
    """A test with two workers, whose ids are `host_one` and `host_two`."""

    def __init__(self):
        folder = tempfile.TemporaryDirectory()
        options = SimpleNamespace(**OPTIONS, results=f"{folder.name}/results.json")
        self.runner = Master(self)
        self.environment = SimpleNamespace(runner=self.runner, parsed_options=options, host=options.host)
        self.folder = folder
        for id in ("host_one", "host_two"):
            self.connects(id)
        locustfile.on_test_start(self.environment)

    def connects(self, id):
        locustfile.on_worker_connect(id)
        self.runner.clients[id] = SimpleNamespace(state="running")

    def report(self, final, run, sent, test=None):
        """A report of a process that sent so many deliveries, all of them accepted."""
        measured = {**locustfile.counts(), "sent": sent, "acknowledged": sent}
        return {
            "final": final, "test": test or locustfile.CONTROL.test, "run": run, "in_flight": {"valid": 0, "probes": 0},
            "stretch_ms": 1, "warm_up": locustfile.counts(), "measured": measured, "witnesses": {}, "cores": 1,
        }

    def reports(self, id, sent, run=None, **more):
        locustfile.on_worker_report(id, {"twenty_conform": self.report(False, run or id, sent, **more)})

    def ends(self, id, sent, run=None, **more):
        locustfile.on_final(self.environment, SimpleNamespace(node_id=id, data=self.report(True, run or id, sent, **more)))

    def asks(self):
        locustfile.CONTROL.asked_at = locustfile.time.monotonic()

    def misses(self, id):
        self.runner.clients[id].state = "missing"


def both_report(case):
    case.asks()
    case.ends("host_two", 2)


def is_killed(case):
    case.reports("host_two", 2)
    case.misses("host_two")
    case.asks()


def is_killed_at_once(case):
    case.misses("host_two")
    case.asks()


def hangs(case):
    case.reports("host_two", 2)
    case.asks()


def leaves(case):
    case.ends("host_two", 2)
    locustfile.CONTROL.left["host_two"] -= 60
    case.asks()


def joins_late(case):
    case.connects("host_late")
    case.asks()
    case.ends("host_two", 2)
    case.ends("host_late", 3)


def joins_after_the_end(case):
    both_report(case)
    case.connects("host_late")


def reports_twice(case):
    case.asks()
    case.ends("host_two", 2)
    case.ends("host_two", 2)


def is_two_processes(case):
    case.reports("host_two", 1, run="first")
    case.asks()
    case.ends("host_two", 3, run="second")


def is_restarted(case):
    case.ends("host_two", 1, run="first")
    case.connects("host_two")
    case.asks()
    case.ends("host_two", 3, run="second")


def has_two_ids(case):
    case.connects("host_three")
    case.asks()
    case.ends("host_three", 2, run="same")
    case.ends("host_two", 2, run="same")


def connects_again(case):
    case.reports("host_two", 1)
    case.misses("host_two")
    case.connects("host_two")
    both_report(case)


def reports_an_earlier_test(case):
    case.reports("host_two", 9, run="earlier", test="earlier")
    case.ends("host_two", 9, run="earlier", test="earlier")
    both_report(case)


def reports_after_its_end(case):
    both_report(case)
    case.reports("host_two", 9)


for happens in (both_report, is_killed, is_killed_at_once, hangs, leaves, joins_late, joins_after_the_end, reports_twice,
                is_two_processes, is_restarted, has_two_ids, connects_again, reports_an_earlier_test, reports_after_its_end):
    locustfile.CONTROL = locustfile.Control()
    case = Case()
    happens(case)
    case.ends("host_one", 1)
    results = locustfile.judge(case.environment)
    states = {worker["id"]: worker["state"] for worker in results["workers"]}
    print(json.dumps([happens.__name__, states, results["reasons"], results["exit_status"], results["all"]["sent"]]))
    case.folder.cleanup()
