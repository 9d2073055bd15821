import signal

import pytest

from lab import Lab, interrupted


def pytest_configure(config):
    # So that SIGTERM, too, runs the fixtures' ends.
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)


@pytest.fixture
def lab(request):
    with Lab() as made:
        yield made
        show_logs(request, made)


@pytest.fixture(scope="class")
def class_lab():
    with Lab() as made:
        yield made


def show_logs(request, made):
    report = getattr(request.node, "rep_call", None)
    if report is not None and report.failed:
        print(made.logs())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    setattr(item, "rep_" + report.when, report)
    args = getattr(item, "funcargs", {})
    made = args.get("class_lab") or getattr(args.get("scene"), "lab", None)
    if report.when == "call" and report.failed and "lab" not in args and made:
        report.sections.append(("lab's logs", made.logs()))
