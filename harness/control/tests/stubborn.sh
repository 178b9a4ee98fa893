#!/bin/sh
# A guard that does not end when its coordinator has.
echo "directory $2/at-all"
exec tail -f /dev/null
