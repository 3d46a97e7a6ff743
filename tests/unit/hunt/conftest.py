import pytest

from tests.traffic.case import Case
from tests.traffic.case_capture import write_case
from tests.unit.hunt.history import HistoryTree


@pytest.fixture(scope="session")
def case() -> Case:
    """The phishing case of the scripted traffic."""
    return Case()


@pytest.fixture(scope="session")
def case_tree(case: Case, tmp_path_factory: pytest.TempPathFactory) -> HistoryTree:
    """A history of the phishing case, which no test changes."""
    directory = tmp_path_factory.mktemp("case")
    write_case(case, directory / "case.pcap")
    tree = HistoryTree(directory / "history")
    tree.add_capture(directory / "case.pcap")
    return tree
