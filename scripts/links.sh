#!/bin/sh
# Checks that every relative link in the Markdown files leads to a file of the tree, and that every path that
# ARCHITECTURE.md names in backticks exists.
set -eu
cd "$(dirname "$0")/.."
bad=0
for file in $(git ls-files '*.md'); do
    folder=$(dirname "$file")
    for link in $(grep -o '](\([^)]*\))' "$file" | sed 's/^](//; s/)$//; s/#.*//' | grep -v -e '^[a-z]*:' -e '^$' || true); do
        [ -e "$folder/$link" ] || { echo "links: $file: $link does not exist" >&2; bad=1; }
    done
done
for path in $(grep -o '`[a-z_./-]*/[a-zA-Z_./-]*`' ARCHITECTURE.md | tr -d '`'); do
    case $path in target/* | results/bench* | plots/*) continue ;; esac
    [ -e "$path" ] || { echo "links: ARCHITECTURE.md: $path does not exist" >&2; bad=1; }
done
exit $bad
