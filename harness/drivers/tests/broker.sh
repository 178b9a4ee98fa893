#!/bin/sh
# broker.sh AGENT DRIVER: the broker is opened once, tells where it is, and is closed when the agent is stopped.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
open="\"op\":\"open_broker\",\"directory\":\"$folder\""
said=$(printf '%s\n' '{"id":1,"op":"hello","protocol":1,"run":"try","journal":null,"seed":1}' "{\"id\":2,$open}" \
    '{"id":3,"op":"stop"}' | "$1" --driver "$2")
echo "$said"
echo "$said" | grep -qF "\"address\":\"$folder/broker\"" || { echo "broker.sh: the address is missing" >&2; exit 1; }
[ ! -e "$folder/broker" ] || { echo "broker.sh: the broker was not closed" >&2; exit 1; }
