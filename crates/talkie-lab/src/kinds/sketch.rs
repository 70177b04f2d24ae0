//! The small drawing of a type: a host sends one packet, three remotes try to send back, and the host
//! sends to others. A NAT of that type is asked what becomes of each packet, so that the drawing can't
//! differ from what the simulator does.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use talkie_sim::nat::{Nat, Preset, Protocol, Verdict};

use super::example;
use crate::ink::{Canvas, Tone};

const HOST: SocketAddr = endpoint([10, 0, 0, 2], 5000);
/// A host with two ports, and another one.
const REMOTES: [(&str, SocketAddr); 3] = [
    ("A:1000", endpoint([198, 51, 100, 1], 1000)),
    ("A:2000", endpoint([198, 51, 100, 1], 2000)),
    ("B:1000", endpoint([203, 0, 113, 9], 1000)),
];
/// Between the host and the box, the box, and between the box and the remotes.
const BOX: usize = 16;
const BOX_END: usize = 25;
const REMOTE: usize = 36;
const WORDS: usize = 45;

const fn endpoint(address: [u8; 4], port: u16) -> SocketAddr {
    let [a, b, c, d] = address;
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port)
}

/// What a NAT of a type did with seven packets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sketch {
    /// What the first remote sees, if it sees anything.
    pub(super) seen: Option<SocketAddr>,
    /// Which of the remotes can then send to what the first one saw.
    pub(super) enters: [bool; 3],
    /// What each of the remotes sees when the host sends to all.
    pub(super) seen_by: [Option<SocketAddr>; 3],
}

impl Sketch {
    pub(super) fn of(preset: Preset, now: Instant) -> Self {
        // The ports are random ones, not secrets.
        let mut nat = Nat::new(example(preset), [7; 32]);
        let [first, ..] = REMOTES;
        let seen = send(&mut nat, now, first.1);
        let enters = REMOTES.map(|(_, remote)| {
            seen.is_some_and(|outside| {
                let verdict = nat.handle_inbound(now, Protocol::Udp, outside, remote);
                matches!(verdict, Verdict::Inside { to: HOST, .. })
            })
        });
        let mut fresh = Nat::new(example(preset), [7; 32]);
        let seen_by = REMOTES.map(|(_, remote)| send(&mut fresh, now, remote));
        Self { seen, enters, seen_by }
    }

    pub(super) fn draw(&self) -> Canvas {
        let mut canvas = Canvas::default();
        canvas.put(0, 2, Tone::Faint, "host inside");
        canvas.put(0, BOX + 3, Tone::Faint, "NAT");
        canvas.put(0, REMOTE, Tone::Faint, "remotes");
        canvas.put(1, BOX, Tone::Plain, "┌────────┐");
        match self.seen {
            Some(outside) => self.draw_open(&mut canvas, outside),
            None => draw_shut(&mut canvas),
        }
        canvas.line(BOX, Tone::Plain, "└────────┘");
        canvas
    }

    fn draw_open(&self, canvas: &mut Canvas, outside: SocketAddr) {
        out(canvas, outside, REMOTES[0].0, "is sent to");
        let roles = ["the one that was sent to", "same host, another port", "another host"];
        for ((enters, (name, _)), role) in self.enters.iter().zip(REMOTES).zip(roles) {
            let row = canvas.line(BOX, Tone::Plain, "│        │");
            canvas.put(row, BOX + 2, Tone::Plain, &port(outside));
            if *enters {
                canvas.put(row, 2, Tone::Good, "◀─────────────");
                canvas.put(row, BOX_END + 1, Tone::Good, "◀── ✓ ───");
            } else {
                canvas.put(row, BOX_END + 1, Tone::Bad, "✗────────");
            }
            canvas.put(row, REMOTE, Tone::Plain, name);
            let verdict = if *enters { "gets in" } else { "is dropped" };
            canvas.put(row, WORDS, Tone::Faint, &format!("{role} {verdict}"));
        }
        canvas.line(BOX, Tone::Plain, "├────────┤");
        for ((name, _), seen) in REMOTES.iter().zip(self.seen_by).skip(1) {
            let Some(seen) = seen else { continue };
            let same = if seen == outside {
                "sees the same port"
            } else if seen.ip() == outside.ip() {
                "sees another port"
            } else {
                "sees another address and port"
            };
            out(canvas, seen, name, same);
        }
    }
}

fn out(canvas: &mut Canvas, outside: SocketAddr, remote: &str, words: &str) {
    let row = canvas.line(2, Tone::Plain, &port(HOST));
    canvas.put(row, 8, Tone::Plain, "───────▶");
    canvas.put(row, BOX, Tone::Plain, "│        ├────────▶");
    canvas.put(row, BOX + 2, Tone::Strong, &port(outside));
    canvas.put(row, REMOTE, Tone::Plain, remote);
    canvas.put(row, WORDS, Tone::Faint, words);
}

fn draw_shut(canvas: &mut Canvas) {
    let row = canvas.line(2, Tone::Plain, &port(HOST));
    canvas.put(row, 8, Tone::Bad, "──────✗");
    canvas.put(row, BOX, Tone::Plain, "│        │");
    canvas.put(row, REMOTE, Tone::Plain, REMOTES[0].0);
    canvas.put(row, WORDS, Tone::Faint, "nothing gets out, nothing in");
}

fn send(nat: &mut Nat, now: Instant, remote: SocketAddr) -> Option<SocketAddr> {
    match nat.handle_outbound(now, Protocol::Udp, HOST, remote) {
        Verdict::Outside { source } => Some(source),
        _ => None,
    }
}

fn port(endpoint: SocketAddr) -> String {
    format!(":{}", endpoint.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ink::Ink;

    fn sketch(preset: Preset) -> Sketch {
        Sketch::of(preset, Instant::now())
    }

    #[test]
    fn each_type_lets_in_whom_its_definition_says() {
        for (preset, enters) in [
            (Preset::FullCone, [true, true, true]),
            (Preset::AddressRestricted, [true, true, false]),
            (Preset::PortRestricted, [true, false, false]),
            (Preset::Symmetric, [true, false, false]),
            (Preset::LinuxMasquerade, [true, false, false]),
            (Preset::AddressDependent, [true, true, false]),
            (Preset::Firewall, [true, false, false]),
            (Preset::UdpBlocked, [false, false, false]),
        ] {
            assert_eq!(sketch(preset).enters, enters, "{preset}");
        }
    }

    #[test]
    fn each_type_shows_remotes_the_ports_that_its_definition_says() {
        // Is the second port of a host seen as the first one, and is the other host?
        for (preset, same) in [
            (Preset::FullCone, [true, true]),
            (Preset::Symmetric, [false, false]),
            (Preset::AddressDependent, [true, false]),
            (Preset::LinuxMasquerade, [true, true]),
            (Preset::LinuxRandomFully, [false, false]),
            (Preset::Cgnat, [true, true]),
        ] {
            let [first, others @ ..] = sketch(preset).seen_by;
            assert_eq!(others.map(|seen| seen == first), same, "{preset}");
        }
    }

    #[test]
    fn the_drawing_shows_who_gets_in() {
        let drawing = sketch(Preset::PortRestricted).draw().text(Ink::PLAIN);
        assert_eq!(
            drawing,
            "  host inside      NAT              remotes
                ┌────────┐
  :5000 ───────▶│ :5000  ├────────▶ A:1000   is sent to
  ◀─────────────│ :5000  │◀── ✓ ─── A:1000   the one that was sent to gets in
                │ :5000  │✗──────── A:2000   same host, another port is dropped
                │ :5000  │✗──────── B:1000   another host is dropped
                ├────────┤
  :5000 ───────▶│ :5000  ├────────▶ A:2000   sees the same port
  :5000 ───────▶│ :5000  ├────────▶ B:1000   sees the same port
                └────────┘
"
        );
    }

    #[test]
    fn where_udp_is_blocked_the_drawing_ends_at_the_box() {
        let drawing = sketch(Preset::UdpBlocked).draw().text(Ink::PLAIN);
        assert!(drawing.contains(":5000 ──────✗ │        │"), "{drawing}");
    }
}
