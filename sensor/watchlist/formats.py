"""The formats of feeds, by their names in the configuration. `plain` and `csv` are the core's own."""

from collections.abc import Callable, Mapping

from sensor.config.detection import ListFormat
from sensor.watchlist import (
    adblock,
    feodo,
    hosts,
    misp,
    own_yaml,
    spamhaus,
    stix,
    suricata_dataset,
    suricata_iprep,
    threatfox,
    urlhaus,
    zeek,
)
from sensor.watchlist.table import Conversion

CONVERTERS: Mapping[ListFormat, Callable[[bytes], Conversion]] = {
    "yaml": own_yaml.convert,
    "hosts": hosts.convert,
    "adblock": adblock.convert,
    "zeek": zeek.convert,
    "threatfox": threatfox.convert,
    "feodo": feodo.convert,
    "urlhaus": urlhaus.convert,
    "spamhaus": spamhaus.convert,
    "misp": misp.convert,
    "stix": stix.convert,
    "suricata-iprep": suricata_iprep.convert,
    "suricata-dataset": suricata_dataset.convert,
}
"""What turns a feed into the sensor's own CSV; each raises ValueError when the text is another file."""
