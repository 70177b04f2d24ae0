#!/bin/sh
# Runs a command in a network namespace of its own that looks like a small network: loopback, and a
# network card with one IPv4 and one IPv6 address. Browsers leave 127.0.0.1 out of their candidates
# (and Firefox will not relay through it), so they need an address that is not loopback; and nothing
# that a test does can reach, or be disturbed by, the machine's real network. The namespace and all
# that is in it vanish with the last process, also when the tests are killed.
#
# usage: namespace.sh COMMAND [ARGUMENT]...
set -eu

if [ "${BROWSER_TESTS_NAMESPACE:-}" != inside ]; then
    export BROWSER_TESTS_NAMESPACE=inside
    if [ "$(id -u)" = 0 ]; then
        exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
    fi
    exec unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi

ip link set lo up
# Both ends of the cable stay here: the other end is there so that the card has carrier, and the
# default route so that browsers take its address for the one that leads to the Internet.
ip link add card type veth peer name wire
ip address add 198.51.100.10/24 dev card
ip address add 2001:db8:7a1c::10/64 dev card nodad
ip link set card up
ip link set wire up
ip route add default via 198.51.100.1
# The cable's own IPv6 addresses are being checked for a second or two; when they settle, a browser
# takes it for a change of networks and drops the page that it is loading.
while ip -6 address show tentative | grep -q inet6; do sleep 0.1; done
exec "$@"
