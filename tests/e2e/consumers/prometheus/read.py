"""Reads metrics with both parsers of Prometheus' own client library, and prints what they read as JSON.

That of the text format is lenient; that of OpenMetrics refuses families in pieces, series twice and text that is out of place.
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as exposition


def read(families):
    return [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
        }
        for family in families
    ]


with open(sys.argv[1], encoding="utf-8", newline="") as file:
    text = file.read()
told = read(exposition(text))
strictly = read(openmetrics(text + "# EOF\n"))
# Help is escaped otherwise in OpenMetrics; all else is the same.
for family in told + strictly:
    if not family.pop("help"):
        sys.exit(f"{family['name']} has no help")
if told != strictly:
    sys.exit("the two parsers read different things")
json.dump(told, sys.stdout)
