from sensor.identity.facts import Neighbour
from sensor.identity.places import Places


def place(source: str = "eth1", port: str = "Gi1", time_ns: int = 1) -> Neighbour:
    return Neighbour(time_ns, "lldp", source, "core-1", port, None, 20)


def test_the_last_words_of_a_port_count() -> None:
    places = Places()
    places.learn(place(time_ns=1))
    places.learn(place(time_ns=9))
    (only,) = places.describe()
    assert (only["switch"], only["port"], only["vlan"], only["last_seen_ns"]) == ("core-1", "Gi1", 20, 9)


def test_a_source_has_sixteen_ports_at_most_and_all_together_256() -> None:
    places = Places()
    for number in range(40):
        places.learn(place(port=f"Gi{number:02d}"))
    assert [row["port"] for row in places.describe()] == [f"Gi{number:02d}" for number in range(24, 40)]
    for number in range(300):
        places.learn(place(source=f"session {number:03d}"))
    assert len(places.describe()) == 256
    assert places.describe()[-1]["source"] == "session 299"
