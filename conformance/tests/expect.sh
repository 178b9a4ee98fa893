#!/bin/sh
# expect.sh CODE REGEX COMMAND…: whether the command exits with CODE, and prints a line that matches REGEX (grep -E).
# CTest's PASS_REGULAR_EXPRESSION would take the place of the exit code.
code=$1 regex=$2
shift 2
output=$("$@" 2>&1)
status=$?
printf '%s\n' "$output"
[ "$status" -eq "$code" ] || { echo "expect.sh: exit code $status, not $code" && exit 1; }
printf '%s\n' "$output" | grep -qE -- "$regex" || { echo "expect.sh: no line matches $regex" && exit 1; }
