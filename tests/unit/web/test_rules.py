"""Rules of web attacks: those that come with the sensor find their samples, and a wrong one is named with its place."""

import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from sensor._native import WebRules
from sensor.config import ConfigError
from sensor.web.rules import WebRule, as_json, load_rules
from sensor.web.samples import as_answer, as_request, wrong_samples
from tests.unit.web.ordinary import ordinary_requests

CORE = WebRules.compile(as_json(load_rules()))


def categories(request: bytes) -> set[str]:
    return {row[0] for row in CORE.inspect(request, b"")}


def attacks() -> list[tuple[WebRule, str]]:
    rules = [rule for rule in load_rules() if "response" not in rule.where]
    return [(rule, sample) for rule in rules for sample in rule.attack]


def test_every_sample_of_every_rule_comes_out_as_it_says() -> None:
    assert [(rule.name, sample, reason) for rule, sample, reason in wrong_samples(load_rules())] == []


def test_every_rule_has_attacks_and_every_category_has_rules() -> None:
    rules = load_rules()
    assert [rule.name for rule in rules if not rule.attack] == []
    assert len({rule.category for rule in rules}) == 6


def variants(target: str) -> list[str]:
    """Give an attack in a query as other clients would write it."""
    path, _, query = target.partition("?")
    name, _, value = query.partition("=")
    if not value or "&" in query or "%" in value:
        return []
    plain = value.replace("+", " ")
    coded = quote(plain, safe="")
    every = "".join(f"%{byte:02X}" for byte in plain.encode())
    return [f"{path}?{name}={text}" for text in (quote_plus(plain), coded, quote(coded, safe=""), every)]


def test_attacks_are_found_however_they_are_encoded() -> None:
    coded = [(rule, text) for rule, sample in attacks() for text in variants(sample)]
    missed = [(rule.name, text) for rule, text in coded if rule.category not in categories(as_request(text))]
    assert len(coded) > 200
    assert missed == []


def test_attacks_are_found_in_forms_and_json() -> None:
    missed = []
    for rule, sample in attacks():
        query = sample.partition("?")[2]
        name, _, value = query.partition("=")
        if not value or "&" in query or "body" not in rule.where or not sample.startswith("/"):
            continue
        form = as_request(
            f"POST /a HTTP/1.1\nHost: h\nContent-Type: application/x-www-form-urlencoded\n\nx=1&{name}={value}"
        )
        if rule.category not in categories(form):
            missed.append((rule.name, sample))
    assert missed == []


def test_ordinary_requests_are_no_attacks() -> None:
    requests = list(ordinary_requests(4000))
    wrong = [(row[1], row[4]) for request in requests for row in CORE.inspect(request, b"")]
    assert len(wrong) <= len(requests) // 2000, wrong


def test_the_answer_makes_the_difference() -> None:
    request = as_request("/a.php?file=../../../../etc/passwd")
    ((_, _, _, _, _, evidence, succeeded),) = CORE.inspect(request, as_answer("root:x:0:0:root:/root:/bin/sh\n"))
    assert succeeded
    assert "file" in evidence
    ((_, _, _, _, _, evidence, succeeded),) = CORE.inspect(request, as_answer("not found"))
    assert (evidence, succeeded) == ("", False)


RULE = """
- name: own-rule
  category: web.sqli
  weakness: ours
  where: [query]
  pattern: 'secret-word'
  attack: [/?a=secret-word]
"""


def test_rules_of_ones_own_are_added(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(RULE)
    rules = load_rules([tmp_path / "*.yaml"])
    core = WebRules.compile(as_json(rules))
    assert [row[1] for row in core.inspect(as_request("/?a=secret-word"), b"")] == ["own-rule"]


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (("'secret-word'", "'(secret'"), "6:12", "unclosed group"),
        (("web.sqli", "web.nothing"), "3:13", "Input should be"),
        (("weakness: ours", "weaknes: ours"), "4:3", ""),
        (("[query]", "[nowhere]"), "5:11", "Input should be"),
        (("own-rule", "sqli-union"), "2:9", "sqli-union"),
    ],
)
def test_a_wrong_rule_is_named_with_its_place(tmp_path: Path, change: tuple[str, str], place: str, reason: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(RULE.replace(*change))
    with pytest.raises(ConfigError) as error:
        load_rules([path])
    text = "\n".join(map(str, error.value.problems))
    assert reason in text
    assert text.startswith(f"{path}:{place.split(':', maxsplit=1)[0]}:") or f"{path}:" in text


def test_settings_are_what_the_core_takes() -> None:
    assert "attack" not in json.loads(as_json(load_rules()))[0]
