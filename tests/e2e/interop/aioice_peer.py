"""aioice behind the line protocol of the interop tests (README.md beside this file)."""

import argparse
import asyncio
import sys
import time

import aioice
from aioice import mdns


def say(line: str) -> None:
    print(line, flush=True)


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def shown(candidate: aioice.Candidate) -> str:
    host = f"[{candidate.host}]" if ":" in candidate.host else candidate.host
    return f"{candidate.type} udp {host}:{candidate.port}"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", choices=["controlling", "controlled"], required=True)
    parser.add_argument("--stun", type=address)
    parser.add_argument("--turn", help="udp|tcp|tls,ADDRESS:PORT,USER,PASSWORD")
    parser.add_argument("--relay-only", action="store_true")
    parser.add_argument("--ipv6", action="store_true", help="no other addresses")
    parser.add_argument("--hide", action="store_true", help="names in place of host addresses")
    parser.add_argument("--whole", action="store_true", help="no trickle: wait for the other's last")
    return parser.parse_args()


def connection(chosen: argparse.Namespace) -> aioice.Connection:
    more = {}
    if chosen.turn:
        transport, server, user, password = chosen.turn.split(",")
        more = {
            "turn_server": address(server),
            "turn_username": user,
            "turn_password": password,
            "turn_ssl": transport == "tls",
            "turn_transport": "udp" if transport == "udp" else "tcp",
        }
    if chosen.relay_only:
        more["transport_policy"] = aioice.TransportPolicy.RELAY
    return aioice.Connection(
        ice_controlling=chosen.role == "controlling",
        stun_server=chosen.stun,
        use_ipv4=not chosen.ipv6,
        **more,
    )


async def hide(candidates: list[aioice.Candidate]) -> mdns.MDnsProtocol:
    """Names for their addresses, answered for as long as what is returned is held."""
    responder = await mdns.create_mdns_protocol()
    for candidate in candidates:
        if candidate.type == "host":
            name = mdns.create_mdns_hostname()
            await responder.publish(name, candidate.host)
            candidate.host = name
    return responder


async def lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    return reader


async def connect(ice: aioice.Connection) -> None:
    started = time.monotonic()
    await ice.connect()
    spent = (time.monotonic() - started) * 1000
    pair = ice._nominated[1]
    local, remote = pair.local_candidate, pair.remote_candidate
    say(f"# selected {shown(local)} {shown(remote)}")
    say(f"# connected after {spent:.1f} ms")
    asyncio.create_task(receive(ice))


async def receive(ice: aioice.Connection) -> None:
    try:
        while True:
            say((await ice.recv()).decode())
    except ConnectionError:
        say("# disconnected")


async def failing(connecting: asyncio.Task) -> None:
    try:
        await connecting
    except ConnectionError as error:
        say(f"# failed: {error}")


async def main() -> None:
    chosen = options()
    ice = connection(chosen)
    # aioice tells no candidate before it has all, so it never trickles its own.
    await ice.gather_candidates()
    say(f"a=ice-ufrag:{ice.local_username}")
    say(f"a=ice-pwd:{ice.local_password}")
    told = [aioice.Candidate.from_sdp(candidate.to_sdp()) for candidate in ice.local_candidates]
    responder = await hide(told) if chosen.hide else None
    for candidate in told:
        say(f"a=candidate:{candidate.to_sdp()}")
    say("a=end-of-candidates")
    connecting, complete = None, False
    reader = await lines()
    while line := (await reader.readline()).decode().rstrip("\r\n"):
        name, _, value = line.partition(":")
        ended = line == "a=end-of-candidates"
        if name == "a=ice-ufrag":
            ice.remote_username = value
        elif name == "a=ice-pwd":
            ice.remote_password = value
        elif line == "a=ice-lite":
            ice.remote_is_lite = True
        elif name == "a=candidate":
            candidate = aioice.Candidate.from_sdp(value)
            # What is not UDP it does not speak, and would send UDP to; and later ones come of no use
            # (RFC 8838 section 13).
            if candidate.transport.lower() == "udp" and not complete:
                await ice.add_remote_candidate(candidate)
        elif ended:
            complete = True
            await ice.add_remote_candidate(None)
        elif not line.startswith(("a=", "#")):
            await ice.send(line.encode())
        ready = ice.remote_username and ice.remote_password and (ended or not chosen.whole)
        if ready and connecting is None:
            connecting = asyncio.create_task(failing(asyncio.ensure_future(connect(ice))))
    await ice.close()
    if responder:
        await responder.close()


asyncio.run(main())
