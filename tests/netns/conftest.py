import pytest

from lab import Lab


@pytest.fixture
def lab(request):
    with Lab() as made:
        yield made
        show_logs(request, made)


@pytest.fixture(scope="class")
def class_lab(request):
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
    made = item.funcargs.get("class_lab") if hasattr(item, "funcargs") else None
    if report.when == "call" and report.failed and made:
        report.sections.append(("lab's logs", made.logs()))
