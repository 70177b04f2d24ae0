#!/bin/sh
# Brings the files here from npm again, as they are published: the pinned versions, and only what
# app/trust/ and app/files/ reach, with its types. Needs npm; nothing at run time does.
set -eu
ciphers=2.4.0
hashes=2.4.0

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # name version module...
    name=$1 version=$2
    shift 2
    (cd "$work" && npm pack --silent "@noble/$name@$version" >/dev/null && tar xzf "noble-$name-$version.tgz")
    rm -rf "${here:?}/$name"
    mkdir "$here/$name"
    cp "$work/package/LICENSE" "$here/$name/"
    for file in "$@"; do cp "$work/package/$file.js" "$work/package/$file.d.ts" "$here/$name/"; done
    rm -rf "$work/package"
}

fetch ciphers "$ciphers" aes _polyval utils
fetch hashes "$hashes" hkdf hmac sha2 _md _u64 utils
