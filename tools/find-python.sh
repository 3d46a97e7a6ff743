#!/bin/sh
# Prints the Python that builds the sensor: the first on PATH, else Debian's own; 3.11 or later, with venv and headers.
for python in python3 /usr/bin/python3; do
    path=$(command -v "$python") || continue
    "$path" - 2>/dev/null <<'PYTHON' && echo "$path" && exit
import ensurepip, pathlib, sys, sysconfig, venv
assert sys.version_info >= (3, 11)
assert pathlib.Path(sysconfig.get_path("include"), "Python.h").exists()
PYTHON
done
exit 1
