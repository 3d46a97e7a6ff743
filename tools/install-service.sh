#!/usr/bin/env bash
# Installs the sensor as a systemd service, or a newer version over an older one. Configuration that is there stays.
# usage: install-service.sh WHEEL [PREFIX]
set -euo pipefail

wheel=$(realpath "$1")
prefix=${2:-/opt/spanwatch}
root=$(realpath "$(dirname "$0")/..")
python=/usr/bin/python3

install_program() {
    "$python" -m venv "$prefix"
    "$prefix/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"
    "$prefix/bin/pip" install --quiet --disable-pip-version-check -c "$root/requirements-dev.lock" "${wheel}[systemd]"
    ln -sfn "$prefix/bin/spanwatch" /usr/local/bin/spanwatch
}

install_units() {
    local unit
    install -D -m 644 "$root/deploy/systemd/sysusers.conf" /usr/local/lib/sysusers.d/spanwatch.conf
    systemd-sysusers /usr/local/lib/sysusers.d/spanwatch.conf
    install -d /usr/local/lib/systemd/system
    for unit in "$root"/deploy/systemd/*.service; do
        sed "s|/opt/spanwatch/|$prefix/|" "$unit" >"/usr/local/lib/systemd/system/${unit##*/}"
    done
    install -D -m 644 "$root/deploy/logrotate/spanwatch" /etc/logrotate.d/spanwatch
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
}

install_configuration() {
    local file
    cd "$root/etc"
    find . -type f | while read -r file; do
        [ -e "/etc/spanwatch/$file" ] || install -D -m 644 "$file" "/etc/spanwatch/$file"
    done
}

install_program
install_units
install_configuration
echo "Installed. Next: name the interface in /etc/spanwatch/spanwatch.yaml (capture.interfaces), then"
echo "  systemctl enable --now spanwatch-nic@INTERFACE spanwatch"
