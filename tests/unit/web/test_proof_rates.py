"""How many injections are proven of applications that are open to them, and of those that are not."""

import random
from collections import Counter

from sensor._native import WebRules
from sensor.web.injection import CONDITION_EVIDENCE, WAIT_EVIDENCE, Injections
from sensor.web.rules import as_json, load_rules
from tests.unit.web.applications import Application, attack, closed, open_to_conditions, open_to_waits, statements

CORE = WebRules.compile(as_json(load_rules()))
TRIED = 300


def proofs(application: Application, chance: random.Random) -> set[str]:
    rows = attack(CORE, application, list(statements(chance)))
    injections = Injections()
    for row in rows:
        injections.learn(row)
    return set(filter(None, map(injections.proof, rows)))


def test_applications_that_are_open_are_found() -> None:
    missed: Counter[str] = Counter()
    for seed in range(TRIED):
        chance = random.Random(seed)
        missed["conditions"] += CONDITION_EVIDENCE not in proofs(open_to_conditions(chance), chance)
        missed["waits"] += WAIT_EVIDENCE not in proofs(open_to_waits(chance), chance)
    # What is missed compares the same literals twice.
    assert (missed["conditions"] <= TRIED // 50, missed["waits"]) == (True, 0), missed


def test_applications_that_are_closed_are_hardly_ever_taken_for_open() -> None:
    tried, wrong = 0, Counter[str]()
    for seed in range(TRIED):
        chance = random.Random(seed)
        for name, application in closed(chance):
            tried += 1
            wrong[name] += bool(proofs(application, chance))
    assert wrong.total() <= tried // 150, wrong
    assert {name for name, times in wrong.items() if times > TRIED // 50} <= {"alternates"}, wrong
