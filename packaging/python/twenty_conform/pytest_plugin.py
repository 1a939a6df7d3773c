"""The fixture `twenty_conform` of pytest: each requirement is a subtest, and a failure has its cause and the fix.

    def test_conforms(twenty_conform):
        twenty_conform.receiver("http://127.0.0.1:3000/", "s3cr3t").check()
        twenty_conform.receiver(application, "s3cr3t", path="/webhooks").check()
"""

import contextlib

import pytest

from .checks import Receiver, Unusable, serving


class Checker:
    """What the fixture gives."""

    def __init__(self, subtests, stack):
        self._subtests = subtests
        self._stack = stack

    def receiver(self, target, secret, path="/", start_seconds=30):
        """A receiver: its URL, or an ASGI or WSGI application, which is served until the test ends, with the path of its route.

        The test fails if an ASGI application does not start within `start_seconds`.
        """
        if isinstance(target, str):
            if path != "/":
                pytest.fail(f"path is for an application; with a URL, make it part of the URL {target!r}", pytrace=False)
            return Checked(target, secret, self._subtests)
        try:
            url = self._stack.enter_context(serving(target, start_seconds))
        except Unusable as why:
            raise _failed(why) from None
        return Checked(f"{url}/{path.lstrip('/')}", secret, self._subtests)


class Checked(Receiver):
    """A receiver whose check reports to pytest."""

    def __init__(self, url, secret, subtests):
        super().__init__(url, secret)
        self._subtests = subtests

    def check(self, *options, level="must", seconds=120):
        """Runs the suite. The test fails if the receiver does not conform, or if the suite cannot run."""
        try:
            report = self.run(*options, level=level, seconds=seconds)
        except (OSError, Unusable) as why:
            raise _failed(why) from None
        report.warn()
        has_failed = any(one.is_wrong and one.verdict != "inconclusive" for one in report.requirements)
        if self._subtests is None or not (report.passed or has_failed):
            if not report.passed:
                pytest.fail(report.text(), pytrace=False)
            return report
        for requirement in report.requirements:
            with self._subtests.test(msg=f"{requirement.id} {requirement.title}"):
                if requirement.verdict in ("inconclusive", "not-applicable", "known-failure"):
                    # What failed is the reason, and has a subtest of its own.
                    pytest.skip(requirement.reason or requirement.verdict)
                if requirement.is_wrong:
                    pytest.fail(report.about(requirement), pytrace=False)
                if requirement.verdict == "fail":
                    pytest.skip(f"does not fail the run: {requirement.level}\n{report.about(requirement)}")
        return report


def _failed(why):
    """What pytest.fail raises, which would be shown with the exception that is handled."""
    return pytest.fail.Exception(str(why), pytrace=False)


@pytest.fixture
def twenty_conform(request):
    """Checks receivers of Twenty's webhooks."""
    subtests = None
    # Part of pytest since version 9, and of the plugin pytest-subtests before.
    if request.config.pluginmanager.hasplugin("subtests"):
        subtests = request.getfixturevalue("subtests")
    with contextlib.ExitStack() as stack:
        yield Checker(subtests, stack)
