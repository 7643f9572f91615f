#!/bin/sh
# Puts a built file in its place in one step, so that a running process never sees half of it. Arguments: from, to.
set -eu
cmp -s "$1" "$2" && exit 0
cp "$1" "$2.part"
mv -f "$2.part" "$2"
