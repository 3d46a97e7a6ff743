"""`spanwatch config`: schema, effective configuration and reference."""

import argparse

from sensor.cli import ExitCode
from sensor.cli.options import add_configuration_option, read_configuration
from sensor.cli.output import print_json
from sensor.config import dump
from sensor.config.render import json_schema, reference_markdown, reference_yaml


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command with its three parts."""
    parser = commands.add_parser(
        "config",
        description="Print the configuration's JSON Schema, effective values or reference.",
        epilog="example: spanwatch config dump -c /etc/spanwatch/spanwatch.yaml",
    )
    parts = parser.add_subparsers(metavar="PART", required=True)
    schema = parts.add_parser(
        "schema", help="JSON Schema of the file, for editors", epilog="example: spanwatch config schema"
    )
    schema.set_defaults(run=run_schema)
    effective = parts.add_parser(
        "dump", help="effective values as YAML", epilog="example: spanwatch config dump -c spanwatch.yaml --json"
    )
    add_configuration_option(effective)
    effective.add_argument("--json", action="store_true", help="print one JSON object")
    effective.set_defaults(run=run_dump)
    reference = parts.add_parser(
        "reference", help="every key with default and meaning", epilog="example: spanwatch config reference --yaml"
    )
    reference.add_argument("--yaml", action="store_true", help="as a configuration file with comments, not as Markdown")
    reference.set_defaults(run=run_reference)


def run_schema(_args: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    print_json([json_schema()])
    return ExitCode.OK


def run_dump(args: argparse.Namespace) -> int:
    """Print the effective configuration."""
    config = read_configuration(args)
    if args.json:
        print_json([config.model_dump(mode="json")])
    else:
        print(dump(config), end="")
    return ExitCode.OK


def run_reference(args: argparse.Namespace) -> int:
    """Print the reference."""
    print(reference_yaml() if args.yaml else reference_markdown(), end="")
    return ExitCode.OK
