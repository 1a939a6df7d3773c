"""Runs the suite on a receiver from a test, in any test framework of Python."""

import contextlib
import inspect
import json
import subprocess
import threading
import time
import warnings

from .program import ended_with_this_process, environment, error_in, find_program

__all__ = ["Finding", "NotConforming", "Receiver", "Report", "Requirement", "Unusable", "serving"]

# Exit statuses: the run passed, or has requirements that did not.
_PASSED, _JUDGED = 0, (0, 1, 3, 5)
# Seconds for a server or the program to end by itself.
_CLOSING = 5


class NotConforming(AssertionError):
    """A receiver does not conform. `report` has everything that is known; the text has the findings with their fixes."""

    def __init__(self, report):
        super().__init__(report.text())
        self.report = report


class Unusable(RuntimeError):
    """The suite could not run. The text says why and what to do."""


class Requirement:
    """What the report says of a requirement."""

    def __init__(self, entry, checks, is_gated):
        self.id = entry["id"]
        self.title = entry["title"]
        self.level = entry["level"]
        # `pass`, `fail`, `inconclusive`, `not-applicable` or `error`; under a list of known failures `known-failure`,
        # `unexpected-pass` or `drift`.
        self.verdict = entry["verdict"]
        # Whether it fails the run if it fails or is inconclusive.
        self.is_gated = is_gated
        self.checks = [check for check in checks if self.id in check["requirements"]]

    @property
    def reason(self):
        """Why it did not pass, in a sentence; empty if it did."""
        return next((check["message"] for check in self.checks if check.get("message") and check["verdict"] == self.verdict), "")

    @property
    def is_wrong(self):
        return self.is_gated and self.verdict not in ("pass", "not-applicable", "known-failure")

    @property
    def answered(self):
        """What was answered and what was expected, if it failed; else None."""
        failed = next((check for check in self.checks if check["verdict"] in ("fail", "drift") and check.get("actual")), None)
        return failed and (failed["actual"], failed.get("expected"))


class Finding:
    """What is wrong with the receiver, and how to fix it: `cause` is a code such as `message.body-alone`, or None."""

    def __init__(self, entry):
        self.cause = entry.get("cause")
        self.requirements = entry["requirements"]
        self.level = entry["level"]
        self.text = entry["text"]
        self.fix = entry.get("fix")
        self._entry = entry

    def lines(self, requirement=None):
        """The finding in a few lines; of one requirement, with what was answered there."""
        entry = self._entry
        answered = requirement.answered if requirement else (entry.get("answered"), entry.get("expected"))
        name = f"{self.text}  [{self.cause}]" if self.cause else self.text
        yield f"{', '.join(self.requirements)}: {name}"
        if self.fix:
            yield f"  fix       {self.fix}"
        if entry.get("code_line"):
            yield f"              {entry['code_line']}"
        if entry.get("avoid"):
            yield f"  do not    {entry['avoid']}"
        if answered and answered[0]:
            yield f"  answered  {answered[0]}, expected {answered[1] or 'another answer'}"
        if self.cause:
            yield f"  more      twenty-conform explain {self.cause}"


class Report:
    """The result of a run: the JSON report is in `json`."""

    def __init__(self, report):
        self.json = report
        self.result = report["result"]
        self.seed = report["seed"]
        # Of a report without the member, the musts alone are gated.
        gated = {"must": ["must"], "should": ["must", "should"]}[report.get("fail_on", "must")]
        self.requirements = [Requirement(one, report["checks"], one["level"] in gated) for one in report["requirements"]]
        self.findings = [Finding(one) for one in report["findings"]]

    @property
    def passed(self):
        return self.json["exit_status"] == _PASSED

    @property
    def warning(self):
        """A sentence if what was tried is not what Twenty sends today; else None."""
        choice = self.json.get("dialect_choice")
        return choice["sentence"] if choice and choice["refused"] == "shipped" else None

    def warn(self):
        """Warns the caller's caller of what the run says although it passed, and if what was tried is not what Twenty sends today."""
        for sentence in [self.warning, *(self.json["notes"] if self.passed else [])]:
            if sentence:
                warnings.warn(sentence, stacklevel=3)

    def about(self, requirement):
        """The findings of a requirement in a few lines, or why it did not pass."""
        found = [finding for finding in self.findings if requirement.id in finding.requirements]
        lines = [line for finding in found for line in finding.lines(requirement)]
        lines = lines or [f"{requirement.id} {requirement.title}: {requirement.verdict}: {requirement.reason}"]
        return "\n".join([*lines, f"  again     {self._again()}"])

    def text(self):
        """The findings, the most important first, and what was inconclusive."""
        lines = [f"the receiver does not conform: {self.result}"]
        lines += [line for finding in self.findings for line in finding.lines()]
        wrong = [one for one in self.requirements if one.is_wrong and one.verdict == "inconclusive"]
        if wrong:
            lines.append(f"{len(wrong)} inconclusive, the first: {wrong[0].id} {wrong[0].title}: {wrong[0].reason}")
        lines += self.json["notes"]
        lines.append(f"again: {self._again()}")
        return "\n".join(lines)

    def _again(self):
        return f'check("--seed", "{self.seed}")'


class Receiver:
    """A receiver of Twenty's webhooks at a URL, with the secret that it verifies with."""

    def __init__(self, url, secret):
        self.url = url
        self.secret = secret

    def run(self, *options, level="must", seconds=120):
        """Runs the suite, with further options of `twenty-conform receiver`. Returns the report.

        `level` is the lowest of the requirements that are tried: `must`, `should` or `advice`. Each must fails the run, and with another
        level each should. Raises Unusable if there is no report, for
        example because nothing listens at the URL, or because the run did not end within `seconds`.
        """
        command = [find_program(), "receiver", "--url", self.url, "--level", level, "--quiet", "--report", "json=-"]
        # Each default gives way to the caller's option. Runs at the same time would share the files for `replay`, which needs a
        # receiver that still runs. The program's own limit must not come first: it would leave requirements inconclusive.
        defaults = {"--no-cache": [], "--fail-on": ["must" if level == "must" else "should"], "--max-time": [f"{round(seconds) + 10}s"]}
        given = {option.split("=")[0] for option in options}
        command += [word for name, value in defaults.items() if name not in given for word in (name, *value)]
        command += options
        try:
            variables = environment(self.secret)
        except ValueError as why:
            raise Unusable(str(why)) from None
        status, printed, said = _ran(command, variables, seconds)
        if status not in _JUDGED:
            raise Unusable(error_in(said) or f"twenty-conform ended with status {status}")
        try:
            report = json.loads(printed)
        except ValueError:
            raise Unusable(f"twenty-conform printed no report; these options may be the reason: {' '.join(options)}") from None
        if report.get("not_started"):
            raise Unusable(report["not_started"]["fault"])
        return Report(report)

    def check(self, *options, level="must", seconds=120):
        """Runs the suite. Raises NotConforming if the receiver does not conform, and Unusable as `run` does."""
        report = self.run(*options, level=level, seconds=seconds)
        report.warn()
        if not report.passed:
            raise NotConforming(report)
        return report


def _ran(command, environment, seconds):
    """Runs the program. Returns its status, what it printed, and its errors; nothing of it is left afterwards."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8", "errors": "replace"}
    with subprocess.Popen(command, env=environment, **pipes) as process, ended_with_this_process(process):
        try:
            printed, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise Unusable(f"the run did not end within {seconds} s; if the receiver answers, give more seconds, or fewer cases: --cases 4") from None
        except BaseException:
            # The test is interrupted.
            _end(process)
            raise
    return process.returncode, printed, said


def _end(process):
    process.terminate()
    try:
        process.communicate(timeout=_CLOSING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def serving(application, seconds=30):
    """Serves an ASGI or WSGI application on a free port of this machine, in a thread. Gives its URL.

    An ASGI application needs uvicorn, a WSGI application waitress or Werkzeug. Raises Unusable if there is none, or if an ASGI
    application does not start within `seconds`.
    """
    if not callable(application):
        raise Unusable(f"an application is an ASGI or WSGI callable, not of the type {type(application).__name__}")
    is_async = inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(getattr(application, "__call__", None))
    with _asgi(application, seconds) if is_async else _wsgi(application) as port:
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _asgi(application, seconds):
    try:
        import uvicorn
    except ImportError:
        raise Unusable("an ASGI application is served by uvicorn, which is not installed: pip install uvicorn") from None
    failures = []

    async def noting(scope, receive, send):
        async def noted(message):
            if message["type"] == "lifespan.startup.failed":
                # The last line of a traceback.
                failures.extend(message.get("message", "").strip().splitlines()[-1:])
            await send(message)

        await application(scope, receive, noted if scope["type"] == "lifespan" else send)

    server = uvicorn.Server(uvicorn.Config(noting, host="127.0.0.1", port=0, log_level="error", ws="none"))

    def run():
        try:
            server.run()
        except BaseException as why:
            failures.append(repr(why))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while not server.started:
        if not thread.is_alive():
            raise Unusable(f"the application did not start: {failures[0] if failures else 'uvicorn ended'}")
        if time.monotonic() > end:
            server.should_exit = True
            raise Unusable(f"the application did not start within {seconds} s")
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(_CLOSING)
        # A request that is never answered would keep the server.
        server.force_exit = True
        thread.join(_CLOSING)


@contextlib.contextmanager
def _wsgi(application):
    with contextlib.suppress(ImportError):
        from waitress.server import create_server

        server = create_server(application, host="127.0.0.1", port=0, threads=8)
        # Closed from another thread, its loop would notice only after a second.

        def run():
            try:
                server.run()
            finally:
                # Its loop leaves the threads of the requests.
                server.task_dispatcher.shutdown(timeout=1)

        with _in_thread(run, lambda: server.trigger.pull_trigger(server.close)):
            yield server.effective_port
        return
    try:
        from werkzeug.serving import WSGIRequestHandler, make_server
    except ImportError:
        raise Unusable("a WSGI application is served by waitress, which is not installed: pip install waitress") from None
    # A line for each of a thousand requests would hide the failure.
    quiet = type("Quiet", (WSGIRequestHandler,), {"log_request": lambda *_: None})
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=quiet)
    with _in_thread(server.serve_forever, server.shutdown):
        yield server.server_port


@contextlib.contextmanager
def _in_thread(run, close):
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        close()
        thread.join(_CLOSING)
