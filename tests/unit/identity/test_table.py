from sensor.identity.facts import Evidence
from sensor.identity.table import IdentityTable
from tests.unit.samples import SECOND, START

HOUR = 3600 * SECOND
A, B, ROUTER = "00:1b:44:00:00:0a", "00:1b:44:00:00:0b", "00:1c:73:00:00:01"
IP = "10.20.3.44"


def arp(ip: str, mac: str, time_ns: int = START) -> Evidence:
    return Evidence(time_ns, "arp", ip, mac)


def name_and_mac(table: IdentityTable, ip: str, time_ns: int = START, frame_mac: str | None = None) -> object:
    machine = table.who(ip, time_ns, frame_mac)
    return machine and (machine["name"], machine["mac"], machine["mac_from"])


def test_a_name_follows_its_network_card_to_any_address() -> None:
    table = IdentityTable(10)
    table.learn(Evidence(START, "dhcp", None, A, "PC-0417", "MSFT 5.0"))
    assert table.who(IP, START) is None
    table.learn(arp(IP, A))
    table.learn(arp("10.9.9.9", A))
    for ip in (IP, "10.9.9.9"):
        assert name_and_mac(table, ip) == ("PC-0417", A, "arp")
    machine = table.who(IP, START)
    assert machine is not None
    assert machine["vendor_class"] == "MSFT 5.0"


def test_an_alert_names_the_machine_that_had_the_address_then() -> None:
    table = IdentityTable(10)
    table.learn(Evidence(START, "dhcp", IP, A, "PC-A"))
    table.learn(Evidence(START + 5 * HOUR, "dhcp", IP, B, "PC-B"))
    assert [name_and_mac(table, IP, START + hours * HOUR) for hours in (1, 6)] == [
        ("PC-A", A, "dhcp"),
        ("PC-B", B, "dhcp"),
    ]
    history = table.history(IP)
    assert [(past["name"], past["mac"], past["first_seen_ns"]) for past in history] == [
        ("PC-A", A, START),
        ("PC-B", B, START + 5 * HOUR),
    ]


def test_what_a_machine_says_wins_over_what_its_frames_show() -> None:
    table = IdentityTable(10)
    table.learn(arp(IP, A))
    assert name_and_mac(table, IP, frame_mac=ROUTER) == (None, A, "arp")
    assert name_and_mac(table, "10.9.9.9", frame_mac=B) == (None, B, "frames")


def test_a_routers_mac_names_no_machine() -> None:
    table = IdentityTable(10)
    table.learn_routers([ROUTER])
    assert table.who(IP, START, ROUTER) is None
    assert table.who(IP, START, "00:00:5e:00:01:14") is None
    table.learn(Evidence(START, "mdns", IP, None, "anna"))
    assert name_and_mac(table, IP, frame_mac=ROUTER) == ("anna", None, None)
    table.learn(arp("10.0.0.1", ROUTER))
    assert name_and_mac(table, "10.0.0.1") == (None, ROUTER, "arp")


def test_a_mac_that_answers_for_many_addresses_names_none_of_them() -> None:
    table = IdentityTable(100)
    for number in range(16):
        table.learn(arp(f"10.0.0.{number}", ROUTER))
    assert name_and_mac(table, "10.0.0.1") == (None, ROUTER, "arp")
    table.learn(arp("10.0.0.16", ROUTER))
    assert table.who("10.0.0.1", START) is None


def test_addresses_that_moved_on_are_no_longer_the_routers() -> None:
    table = IdentityTable(100)
    for number in range(40):
        table.learn(arp(f"10.0.0.{number}", A))
        table.learn(arp(f"10.0.0.{number}", B if number % 2 else ROUTER))
    assert len(table) == 40
    assert name_and_mac(table, "10.0.0.40", frame_mac=A) == (None, A, "frames")


def test_a_full_table_gives_up_what_was_heard_longest_ago() -> None:
    table = IdentityTable(3)
    for number in range(3):
        table.learn(arp(f"10.0.0.{number}", A))
    table.learn(arp("10.0.0.0", A))
    table.learn(arp("10.0.0.9", A))
    assert (len(table), table.evicted) == (3, 1)
    assert table.addresses() == ["10.0.0.2", "10.0.0.0", "10.0.0.9"]


def test_a_flood_stays_within_the_ceiling() -> None:
    table = IdentityTable(100)
    for number in range(5000):
        mac = f"00:1b:44:00:{number >> 8:02x}:{number & 255:02x}"
        table.learn(Evidence(START + number, "dhcp", f"10.1.{number >> 8}.{number & 255}", mac, f"PC-{number}"))
    memory = table._memory
    assert (len(table), table.evicted, len(memory.cards)) == (100, 4900, 100)
    assert not table._answers


def test_users_and_agents_are_kept_with_their_times_the_last_one_last_and_not_too_many() -> None:
    table = IdentityTable(10)
    table.learn(arp(IP, A))
    for hours, user in enumerate(("jane", "joe", "jane")):
        table.learn(Evidence(START + hours * HOUR, "krb5", IP, user=user))
    inside = table.inside(IP, START)
    assert [(said["text"], said["first_seen_ns"], said["last_seen_ns"]) for said in inside["users"]] == [
        ("joe", START + HOUR, START + HOUR),
        ("jane", START, START + 2 * HOUR),
    ]
    for number in range(20):
        table.learn(Evidence(START + 2 * HOUR, "agent", IP, agent=f"curl/{number}"))
    inside = table.inside(IP, START)
    assert [said["text"] for said in inside["agents"]] == [f"curl/{number}" for number in range(12, 20)]
    assert table.history(IP)[0]["users"] == inside["users"]


def test_what_is_said_in_a_conversation_tells_no_mac() -> None:
    table = IdentityTable(10)
    table.learn(Evidence(START, "krb5", IP, name="PC-0417"))
    table.learn(arp(IP, A, START + SECOND))
    assert name_and_mac(table, IP, START + SECOND) == ("PC-0417", A, "arp")


def test_an_agent_renames_nobody() -> None:
    table = IdentityTable(10)
    table.learn(Evidence(START, "dhcp", IP, A, "PC-0417"))
    table.learn(Evidence(START, "agent", IP, agent="Mozilla/5.0 (Windows NT 10.0)"))
    assert name_and_mac(table, IP) == ("PC-0417", A, "dhcp")
    assert table.inside(IP, START)["system"] == "Windows"
