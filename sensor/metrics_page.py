"""The reference page of the metrics: `python -m sensor.metrics_page`."""

from sensor.metrics import DEFINITIONS


def reference() -> str:
    """Give the reference page in Markdown."""
    lines = [
        "# Metrics",
        "",
        "Generated from the tables in `sensor/metrics` by `make docs`; a test compares. All samples of a scrape come",
        "from one snapshot, so that at any moment, to the frame:",
        "",
        "- the sum of `spanwatch_capture_frames_total` is the sum of `spanwatch_frames_total` and",
        "  `spanwatch_ring_in_flight_frames`,",
        "- and it is the sum of `spanwatch_analysis_frames_total`.",
        "",
        "What should always be zero says so. The process's own `process_*` metrics come along.",
        "",
        "| name | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for definition in DEFINITIONS:
        labels = ", ".join(f"`{label}`" for label in definition.labels) or "none"
        lines.append(f"| `{definition.name}` | {definition.kind} | {labels} | {definition.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
