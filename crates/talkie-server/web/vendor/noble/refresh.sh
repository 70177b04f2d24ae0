#!/bin/sh
# Brings the files here from npm again, as they are published: the pinned versions, and only what
# app/trust/vendored-crypto.js reaches. Needs npm; nothing at run time does.
set -eu
ciphers=2.4.0
hashes=2.4.0

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # name version file...
    name=$1 version=$2
    shift 2
    (cd "$work" && npm pack --silent "@noble/$name@$version" >/dev/null && tar xzf "noble-$name-$version.tgz")
    rm -rf "${here:?}/$name"
    mkdir "$here/$name"
    for file in LICENSE "$@"; do cp "$work/package/$file" "$here/$name/"; done
    rm -rf "$work/package"
}

fetch ciphers "$ciphers" aes.js _polyval.js utils.js
fetch hashes "$hashes" hkdf.js hmac.js sha2.js _md.js _u64.js utils.js
