"""Tests of the locustfile, with receivers that verify, accept everything, reject, redirect, hang or are absent. They run one
process, or a master and two workers of which one is killed.

  python selftest.py [LOCUSTFILE]     with a Python that has locust

Without an exported locustfile it tests the one next to it, which has few probes.

All traffic stays on 127.0.0.1, on free ports. Every process is stopped by its id.
"""

import concurrent.futures
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
LOCUSTFILE = HERE / "locustfile.py"
SECRET = "s3cr3t-of-the-self-test"
LONGEST = 90  # seconds that one run may take


class Receiver(http.server.ThreadingHTTPServer):
    """Verifies as the contract says, and records what arrives. `answer` chooses the status."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer, window_ms=300_000):
        super().__init__(("127.0.0.1", 0), Handler)
        self.window_ms = window_ms
        self.answer, self.lock, self.valid, self.invalid, self.paths = answer, threading.Lock(), [], [], set()
        self.cookies = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"

    @property
    def arrived(self):
        return len(self.valid) + len(self.invalid)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        timestamp = self.headers.get("X-Twenty-Webhook-Timestamp", "")
        given = self.headers.get("X-Twenty-Webhook-Signature", "")
        made = hmac.new(SECRET.encode(), timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        fresh = timestamp.isdigit() and abs(time.time() * 1000 - int(timestamp)) < self.server.window_ms
        delivery = self.delivery(body)
        verified = given == made and fresh and delivery is not None
        with self.server.lock:
            self.server.paths.add(self.path)
            self.server.cookies += "Cookie" in self.headers
            if verified:
                self.server.valid.append(delivery)
            else:
                self.server.invalid.append(body)
            status = self.server.answer(verified, len(self.server.valid))
        if status is None:
            time.sleep(3)
            return
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Set-Cookie", "a=b")
        self.send_header("Content-Length", "2")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"ok")

    def delivery(self, body):
        """The record id of a delivery, or None if it is none."""
        try:
            delivery = json.loads(body)
            return (delivery.get("data") or delivery["record"])["id"]
        except (ValueError, AttributeError, KeyError, TypeError):
            return None

    def do_GET(self):
        self.server.paths.add(self.path)
        self.send_error(404)

    def log_message(self, *_):
        pass

    def handle(self):
        with contextlib.suppress(ConnectionError):  # a killed client resets its connections
            super().handle()


def correct(verified, _):
    return 200 if verified else 401


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Locust:
    """A locust process, stopped by its id when the test is over."""

    def __init__(self, *arguments, secret=SECRET, locustfile=None, **environment):
        removed = ("TWENTY_", "LOCUST_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(removed)}
        secrets = {"TWENTY_WEBHOOK_SECRET": secret} if secret else {}
        command = [sys.executable, "-m", "locust", "-f", str(locustfile or LOCUSTFILE), "--headless", "--only-summary"]
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)], env={**kept, **secrets, **environment}, cwd=self.folder.name,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()
        self.folder.cleanup()

    def wait(self):
        status = self.process.wait(LONGEST)
        self.reader.join()
        return status

    @property
    def stderr(self):
        return "".join(self.lines)

    def results(self):
        path = pathlib.Path(self.folder.name) / "twenty-conform-locust.json"
        return json.loads(path.read_text(encoding="utf-8"))


class Case(unittest.TestCase):
    def run_alone(self, receiver, arrivals, *arguments, expect):
        """Runs one process until that many requests have arrived. Returns its results and its stderr."""
        seen = receiver.arrived
        with Locust("--host", receiver.url, *arguments) as one:
            until = time.monotonic() + LONGEST
            while receiver.arrived < seen + arrivals and one.process.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            one.process.terminate()
            self.assertEqual(one.wait(), expect, one.stderr)
            return one.results(), one.stderr

    def refuses(self, words, *arguments, **more):
        with Locust(*arguments, **more) as one:
            self.assertEqual(one.wait(), 2, one.stderr)
            self.assertIn(words, one.stderr)


class Alone(Case):
    def test_counts_match_those_of_a_verifying_receiver(self):
        with Receiver(correct) as receiver:
            results, _ = self.run_alone(receiver, 200, "-u", 4, "-r", 4, "--probe-share", "30%", expect=0)
        all = results["all"]
        self.assertEqual(results["result"], "pass", results["reasons"])
        self.assertEqual(len(receiver.valid), all["acknowledged"])
        self.assertEqual(len(receiver.invalid), all["probes"])
        self.assertEqual(len(set(receiver.valid)), len(receiver.valid), "each has a record id of its own")
        self.assertEqual(all["in_flight"], 0)
        self.assertEqual(receiver.paths, {"/hook?x=1"})
        self.assertEqual(receiver.cookies, 0)
        numbers = sorted(int(id[20:23] + id[24:], 16) for id in receiver.valid)
        self.assertEqual(numbers, list(range(len(numbers))), "numbered without gaps")
        self.assertTrue(all["sent"] > 20 and all["probes"] > 5, all)
        self.assertEqual({one["name"]: one["let_through"] for one in results["probes"] if one["let_through"]}, {})
        self.assertEqual(sum(results["measured"]["latency"]["buckets"].values()), all["acknowledged"])
        self.assertEqual(sum(point[1] for point in results["series"]["points"]), all["acknowledged"])

    def test_fails_for_every_kind_of_accepted_probe(self):
        with Receiver(lambda verified, _: 200) as receiver:
            ask = ["-u", 4, "-r", 4, "--probe-share", 0.5, "--fail-on", "should"]
            results, stderr = self.run_alone(receiver, 800, *ask, expect=1)
        # The secret of this test is neither hexadecimal nor base64, and has no white space and no upper case.
        inapplicable = {"hex-decoded-key", "base64-decoded-key", "trimmed-key", "lowercase-key"}
        for one in [one for one in results["probes"] if one["name"] not in inapplicable]:
            self.assertTrue(one["sent"] == one["let_through"] > 0, one)
            if one["level"] == "advice":
                continue
            self.assertTrue(any(f" {one['name']} probes, which" in reason for reason in results["reasons"]), one)
            self.assertIn(f"probe {one['name']}", results["witnesses"])
        self.assertIn(" probes, which must be rejected", stderr)
        self.assertNotIn(SECRET, json.dumps(results))

    def test_accepted_stale_probes_fail_only_with_fail_on_should(self):
        with Receiver(correct, window_ms=10**12) as receiver:
            results, _ = self.run_alone(receiver, 800, "--probe-share", "50%", expect=0)
            accepted = {one["name"] for one in results["probes"] if one["let_through"]}
            self.assertEqual(accepted, {"stale", "future"} & {one["name"] for one in results["probes"]})
            self.run_alone(receiver, 500, "--probe-share", "50%", "--fail-on", "should", expect=1)
            results, _ = self.run_alone(receiver, 20, "--probe-share", "0", expect=0)
            self.assertEqual(results["all"]["probes"], 0)

    def test_rejected_deliveries_fail_beyond_max_errors(self):
        def sheds(verified, number):
            return 503 if verified and number % 10 == 0 else correct(verified, number)

        with Receiver(sheds) as receiver:
            results, _ = self.run_alone(receiver, 60, expect=1)
            self.assertIn("503", results["witnesses"])
            self.run_alone(receiver, 60, "--max-errors", "50%", expect=0)

    def test_redirects_are_not_followed(self):
        with Receiver(lambda verified, _: 307) as receiver:
            results, _ = self.run_alone(receiver, 5, "--probe-share", "0", expect=1)
        self.assertEqual(receiver.paths, {"/hook?x=1"})
        self.assertEqual(set(results["measured"]["statuses"]), {"307"})

    def test_hanging_receiver_times_out(self):
        with Receiver(lambda verified, _: None) as receiver:
            ask = ["--timeout", "500ms", "-u", 2, "-r", 2, "--probe-share", "0"]
            results, _ = self.run_alone(receiver, 2, *ask, expect=1)
        self.assertEqual(set(results["measured"]["failed"]), {"timed-out"})
        self.assertEqual(results["all"]["in_flight"], 0)

    def test_absent_receiver_refuses_connections(self):
        with Locust("--host", f"http://127.0.0.1:{free_port()}/", "-t", "5s", "--probe-share", "0") as one:
            self.assertEqual(one.wait(), 1, one.stderr)
            results = one.results()
        self.assertEqual(set(results["measured"]["failed"]), {"refused"})

    def test_rate_is_kept(self):
        with Receiver(correct) as receiver:
            results, _ = self.run_alone(receiver, 300, "-u", 8, "-r", 8, "--rate", 100, expect=0)
        all, seconds = results["all"], results["stretch_ms"] / 1000
        self.assertEqual(all["unsent"], 0)
        # Never faster; slower only while the users start.
        self.assertLess(all["sent"] + all["probes"], 100 * seconds + 10)
        self.assertGreater(all["sent"] + all["probes"], 50 * seconds)

    def test_due_deliveries_count_as_unsent(self):
        def slow(verified, number):
            time.sleep(0.2)
            return correct(verified, number)

        with Receiver(slow) as receiver:
            ask = ["--rate", 50, "--timeout", "1s", "--max-errors", "100%", "--probe-share", 0]
            results, _ = self.run_alone(receiver, 8, *ask, expect=0)
        all, latency = results["all"], results["measured"]["latency"]
        self.assertGreater(all["unsent"], 20)
        self.assertGreater(latency["max_us"], 1_000_000, "latency counts from the planned time")

    def test_refuses_to_start(self):
        with Receiver(correct) as receiver, tempfile.TemporaryDirectory() as folder:
            self.refuses("TWENTY_WEBHOOK_SECRET", "--host", receiver.url, "-t", "1s", secret=None)
            self.refuses("--allow-remote", "--host", "http://192.0.2.1/", "-t", "1s")
            self.refuses("is not an http or https URL", "--host", "ftp://127.0.0.1/", "-t", "1s")
            self.refuses("cannot write", "--host", receiver.url, "-t", "1s", "--results", f"{folder}/none/here.json")
            self.refuses("invalid", "--host", receiver.url, "--probe-share", "70%")
            wrong = pathlib.Path(folder) / "locustfile.py"
            text = LOCUSTFILE.read_text(encoding="utf-8")
            wrong.write_text(text.replace('b":" + body', 'b"." + body', 1), encoding="utf-8")
            self.refuses("the signing vector", "--host", receiver.url, "-t", "1s", locustfile=wrong)
            self.assertEqual((receiver.valid, receiver.invalid), ([], []))


class Distributed(Case):
    def play(self, receiver, disturb=None):
        """Runs a master and two workers. Returns the master's status, its results and its stderr."""
        port = free_port()
        master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", 2,
                  "--expect-workers-max-wait", 60, "--host", receiver.url, "-u", 4, "-r", 4, "-t", "6s", "--rate", 100]
        worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
        # The master does not send, so it needs no secret.
        with Locust(*master, secret=None) as master, Locust(*worker) as one, Locust(*worker) as other:
            if disturb:
                until = time.monotonic() + LONGEST
                while len(receiver.valid) < 50 and master.process.poll() is None and time.monotonic() < until:
                    time.sleep(0.05)
                disturb(one.process)
            status = master.wait()
            other.wait()
            return status, master.results(), master.stderr

    def test_counts_of_two_workers_match_those_of_the_receiver(self):
        with Receiver(correct) as receiver:
            status, results, stderr = self.play(receiver)
            self.assertEqual((status, results["reasons"]), (0, []), stderr)
            self.assertEqual([worker["state"] for worker in results["workers"]], ["reported", "reported"])
            self.assertTrue(all(worker["sent"] for worker in results["workers"]))
            self.assertEqual(len(receiver.valid), results["all"]["acknowledged"])
            self.assertEqual(len(set(receiver.valid)), len(receiver.valid))

    def test_killed_worker_fails_the_run(self):
        with Receiver(correct) as receiver:
            status, results, stderr = self.play(receiver, lambda process: process.kill())
            self.assertEqual(status, 1, stderr)
            self.assertEqual(results["result"], "fail")
            states = sorted(worker["state"] for worker in results["workers"])
            self.assertIn(states, [["lost", "reported"], ["reported", "silent"]])
            lost = [worker for worker in results["workers"] if worker["state"] != "reported"][0]
            self.assertIn(f"worker {lost['number']} of 2 ({lost['id']})", stderr)

    def test_late_worker_is_named_and_its_counts_are_complete(self):
        port = free_port()
        master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", 1,
                  "--expect-workers-max-wait", 60, "-u", 4, "-r", 4]
        worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
        with Receiver(correct) as receiver, Locust(*master, "--host", receiver.url, secret=None) as master, Locust(*worker):
            until = time.monotonic() + LONGEST
            arrives = lambda count: len(receiver.valid) < count and master.process.poll() is None and time.monotonic() < until
            while arrives(50):
                time.sleep(0.05)
            with Locust(*worker) as late:
                while "2 workers connected" not in master.stderr and arrives(10**9):
                    time.sleep(0.05)
                master.process.terminate()
                status, results = master.wait(), master.results()
                late.wait()
            self.assertEqual(status, 1, master.stderr)
            self.assertEqual(sorted(worker["state"] for worker in results["workers"]), ["late", "reported"])
            self.assertIn("joined after the start", master.stderr)
            self.assertEqual(len(receiver.valid), results["all"]["acknowledged"] + results["all"]["in_flight"])

    def test_leaving_worker_fails_the_run(self):
        with Receiver(correct) as receiver:
            status, results, stderr = self.play(receiver, lambda process: process.terminate())
            self.assertEqual(status, 1, stderr)
            # It reports its counts before it leaves.
            self.assertEqual(len(receiver.valid), results["all"]["acknowledged"])


def run_all():
    """Runs all tests, three at a time because they mostly wait. Returns whether all passed."""
    loader = unittest.defaultTestLoader
    tests = [test for case in (Distributed, Alone) for test in loader.loadTestsFromTestCase(case)]

    def run(test):
        result = unittest.TestResult()
        began = time.monotonic()
        test.run(result)
        broken = [text for _, text in result.errors + result.failures]
        print(f"{'FAILED' if broken else 'ok':6} {time.monotonic() - began:5.1f} s  {test.id()}", *broken, sep="\n" if broken else "", flush=True)
        return not broken

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return all(list(pool.map(run, tests)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        LOCUSTFILE = pathlib.Path(sys.argv[1]).resolve()
    sys.exit(not run_all())
