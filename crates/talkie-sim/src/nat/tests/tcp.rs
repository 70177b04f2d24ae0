//! TCP through a NAT (RFC 5382).

use super::*;

const SYN: Flags = Flags::SYN;
const ACK: Flags = Flags::ACK;
const SYN_ACK: Flags = Flags(Flags::SYN.0 | Flags::ACK.0);
const FIN: Flags = Flags(Flags::FIN.0 | Flags::ACK.0);
const RST: Flags = Flags::RST;
const MINUTE: Duration = Duration::from_secs(60);
const ESTABLISHED: Duration = Duration::from_secs(2 * 3600 + 4 * 60);

const ADA: &str = "10.0.0.2:5000";
const OUTSIDE: &str = "192.0.2.1:5000";
const REMOTE: &str = "198.51.100.1:443";

/// Sends a segment out, which must go.
fn send(nat: &mut Nat, now: Instant, flags: Flags, remote: &str) -> SocketAddr {
    match nat.handle_outbound(now, Protocol::Tcp(flags), at(ADA), at(remote)) {
        Verdict::Outside { source } => source,
        other => panic!("{flags:?} to {remote}: {other:?}"),
    }
}

/// Whether a segment comes in.
fn comes(nat: &mut Nat, now: Instant, flags: Flags, remote: &str) -> bool {
    let verdict = nat.handle_inbound(now, Protocol::Tcp(flags), at(OUTSIDE), at(remote));
    matches!(verdict, Verdict::Inside { to, .. } if to == at(ADA))
}

fn open(nat: &mut Nat, now: Instant, remote: &str) {
    send(nat, now, SYN, remote);
    assert!(comes(nat, now, SYN_ACK, remote));
    send(nat, now, ACK, remote);
}

/// How long the table keeps its only row.
fn left(nat: &Nat, now: Instant) -> Duration {
    let rows = nat.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0].until - now
}

#[test]
fn what_is_agreed_lasts_for_hours_and_the_rest_for_minutes() {
    // RFC 5382 REQ-5.
    let now = begin();
    let mut nat = nat(port_restricted());
    send(&mut nat, now, SYN, REMOTE);
    assert_eq!(left(&nat, now), 4 * MINUTE);
    assert!(comes(&mut nat, now, SYN_ACK, REMOTE));
    assert_eq!(left(&nat, now), 4 * MINUTE);
    send(&mut nat, now, ACK, REMOTE);
    assert_eq!((left(&nat, now), nat.rows()[0].phase), (ESTABLISHED, Some(Phase::Established)));

    // Two hours of silence, then a keepalive from outside, then silence for good.
    let now = now + 2 * 60 * MINUTE;
    assert!(comes(&mut nat, now, ACK, REMOTE));
    assert!(comes(&mut nat, now + ESTABLISHED - SECOND, ACK, REMOTE));
    let now = now + ESTABLISHED - SECOND;
    assert!(!comes(&mut nat, now + ESTABLISHED, ACK, REMOTE));
    assert_eq!((nat.rows().len(), nat.poll_timeout()), (0, None));
}

#[test]
fn what_is_over_is_forgotten_soon() {
    let begin = begin();
    let mut fins = nat(port_restricted());
    open(&mut fins, begin, REMOTE);
    send(&mut fins, begin, FIN, REMOTE);
    // The other half may go on for hours.
    assert_eq!(left(&fins, begin), ESTABLISHED);
    assert!(comes(&mut fins, begin, FIN, REMOTE));
    send(&mut fins, begin, ACK, REMOTE);
    assert_eq!((left(&fins, begin), fins.rows()[0].phase), (4 * MINUTE, Some(Phase::Closing)));
    assert_eq!(fins.poll_timeout(), Some(begin + 4 * MINUTE));
    fins.handle_timeout(begin + 4 * MINUTE);
    assert_eq!((fins.rows().len()), 0);

    for from_outside in [false, true] {
        let mut reset = nat(port_restricted());
        open(&mut reset, begin, REMOTE);
        match from_outside {
            true => assert!(comes(&mut reset, begin, RST, REMOTE)),
            false => drop(send(&mut reset, begin, RST, REMOTE)),
        }
        assert_eq!(left(&reset, begin), 4 * MINUTE);
        // RFC 7857 §2.2: if it was forged, the connection goes on.
        let now = begin + MINUTE;
        send(&mut reset, now, ACK, REMOTE);
        assert_eq!(left(&reset, now), ESTABLISHED);
        reset.handle_timeout(begin + 5 * MINUTE);
        assert_eq!(left(&reset, now), ESTABLISHED);
    }
}

#[test]
fn what_lived_long_is_forgotten_as_soon_as_what_did_not() {
    let begin = begin();
    let mut nat = nat(port_restricted());
    open(&mut nat, begin, REMOTE);
    // Long enough for its deadline to have been moved by hours.
    let now = begin + 10 * MINUTE;
    nat.handle_timeout(now);
    assert_eq!(nat.poll_timeout(), Some(begin + ESTABLISHED));
    send(&mut nat, now, FIN, REMOTE);
    assert!(comes(&mut nat, now, FIN, REMOTE));
    assert_eq!(nat.poll_timeout(), Some(now + 4 * MINUTE));
    nat.handle_timeout(now + 4 * MINUTE);
    assert_eq!(nat.rows().len(), 0);
    assert!(!comes(&mut nat, now + 4 * MINUTE, ACK, REMOTE));
    // What is left in the queue does no harm to who takes the place.
    let now = now + 5 * MINUTE;
    open(&mut nat, now, REMOTE);
    nat.handle_timeout(begin + ESTABLISHED);
    assert_eq!(left(&nat, now), ESTABLISHED);
}

#[test]
fn resets_back_and_forth_cost_no_memory() {
    let mut now = begin();
    let mut nat = nat(port_restricted());
    open(&mut nat, now, REMOTE);
    for _ in 0..10_000 {
        now += Duration::from_millis(10);
        assert!(comes(&mut nat, now, RST, REMOTE));
        send(&mut nat, now, ACK, REMOTE);
    }
    assert!(nat.table.queued_deadlines() <= 32, "{}", nat.table.queued_deadlines());

    // Nor where what is established lasts for days, and the resets are minutes apart.
    let mut nat = Nat::new(Config::linux_masquerade(pool(&["192.0.2.1"])), [7; 32]);
    open(&mut nat, now, REMOTE);
    for _ in 0..1000 {
        now += 3 * MINUTE;
        assert!(comes(&mut nat, now, RST, REMOTE));
        send(&mut nat, now, ACK, REMOTE);
    }
    assert!(nat.table.queued_deadlines() <= 40, "{}", nat.table.queued_deadlines());
    assert_eq!(left(&nat, now), 5 * 24 * 60 * MINUTE);
}

#[test]
fn two_meet_by_a_simultaneous_open() {
    // RFC 5382 REQ-2, REQ-4: both behind NATs that let nobody in who was not sent to.
    let now = begin();
    let (mut hers, mut his) =
        (nat(port_restricted()), nat(Config::port_restricted_cone(pool(&["192.0.2.9"]))));
    let (ada, grace) = (at(ADA), at("10.0.0.2:5000"));
    let (her_side, his_side) = (at("192.0.2.1:5000"), at("192.0.2.9:5000"));
    let to_him = |hers: &mut Nat, his: &mut Nat, flags| {
        let out = hers.handle_outbound(now, Protocol::Tcp(flags), ada, his_side);
        assert_eq!(out, Verdict::Outside { source: her_side });
        his.handle_inbound(now, Protocol::Tcp(flags), his_side, her_side)
    };
    let to_her = |hers: &mut Nat, his: &mut Nat, flags| {
        let out = his.handle_outbound(now, Protocol::Tcp(flags), grace, her_side);
        assert_eq!(out, Verdict::Outside { source: his_side });
        hers.handle_inbound(now, Protocol::Tcp(flags), her_side, his_side)
    };
    // The first one is early. Nothing is said about it.
    assert_eq!(to_him(&mut hers, &mut his, SYN), Verdict::Dropped(Reason::NoMapping));
    let passes = |verdict| matches!(verdict, Verdict::Inside { .. });
    assert!(passes(to_her(&mut hers, &mut his, SYN)));
    assert!(passes(to_him(&mut hers, &mut his, SYN_ACK)));
    assert!(passes(to_her(&mut hers, &mut his, SYN_ACK)));
    assert!(passes(to_him(&mut hers, &mut his, ACK)));
    for nat in [&hers, &his] {
        assert_eq!((left(nat, now), nat.rows()[0].phase), (ESTABLISHED, Some(Phase::Established)));
    }
}

#[test]
fn who_may_connect_from_outside_is_what_filtering_says() {
    // RFC 5382 §4.3, after a connection to 198.51.100.1:443.
    for (filtering, same_address, others) in [
        (Filtering::EndpointIndependent, true, true),
        (Filtering::AddressDependent, true, false),
        (Filtering::AddressAndPortDependent, false, false),
    ] {
        let now = begin();
        let mut nat = nat(Config { filtering, ..port_restricted() });
        assert!(!comes(&mut nat, now, SYN, REMOTE));
        open(&mut nat, now, REMOTE);
        for (remote, expected) in [("198.51.100.1:9", same_address), ("198.51.100.2:443", others)] {
            assert_eq!(comes(&mut nat, now, SYN, remote), expected, "{filtering:?} {remote}");
            if expected {
                send(&mut nat, now, SYN_ACK, remote);
                assert!(comes(&mut nat, now, ACK, remote));
                // It outlives the first one.
                assert!(comes(&mut nat, now, RST, REMOTE));
                assert_eq!(left(&nat, now), ESTABLISHED, "{filtering:?} {remote}");
            }
        }
    }
}

#[test]
fn a_stray_segment_opens_nothing() {
    let now = begin();
    let mut nat = nat(Config::full_cone(pool(&["192.0.2.1"])));
    let reset = nat.handle_outbound(now, Protocol::Tcp(RST), at(ADA), at(REMOTE));
    assert_eq!((reset, nat.rows().len()), (Verdict::Dropped(Reason::NoMapping), 0));
    open(&mut nat, now, REMOTE);
    let before = nat.rows();
    // One comes in, since all may, and is answered, and both leave no trace.
    assert!(comes(&mut nat, now + SECOND, ACK, "203.0.113.9:9"));
    send(&mut nat, now + SECOND, RST, "203.0.113.9:9");
    assert_eq!(nat.rows(), before);
}

#[test]
fn what_began_before_a_reboot_goes_on() {
    let now = begin();
    let mut nat = nat(port_restricted());
    open(&mut nat, now, REMOTE);
    nat.reboot();
    assert!(!comes(&mut nat, now, ACK, REMOTE));
    send(&mut nat, now, ACK, REMOTE);
    assert_eq!(left(&nat, now), 4 * MINUTE);
    assert!(comes(&mut nat, now, ACK, REMOTE));
    assert_eq!(left(&nat, now), ESTABLISHED);
}

#[test]
fn a_flood_of_openings_does_not_end_what_is_established() {
    let now = begin();
    let full_cone = Config::full_cone(pool(&["192.0.2.1"]));
    let mut nat = nat(Config { most_remotes: 10, ..full_cone });
    open(&mut nat, now, REMOTE);
    for n in 0..1000 {
        assert!(comes(&mut nat, now, SYN, &format!("203.0.113.9:{}", 1000 + n)));
    }
    assert!(nat.table.remotes() <= 10);
    let later = now + 60 * MINUTE;
    assert!(comes(&mut nat, later, ACK, REMOTE));
    assert_eq!(left(&nat, later), ESTABLISHED);
}

#[test]
fn remotes_of_all_mappings_together_have_a_bound() {
    let now = begin();
    let mut nat = nat(Config { most_remotes_in_all: 50, ..port_restricted() });
    for port in 0..20 {
        for remote in 0..20 {
            let inside = SocketAddr::from(([10, 0, 0, 2], 5000 + port));
            let remote = SocketAddr::from(([198, 51, 100, 1], 1000 + remote));
            for protocol in [Protocol::Udp, Protocol::Tcp(SYN)] {
                let verdict = nat.handle_outbound(now, protocol, inside, remote);
                assert!(matches!(verdict, Verdict::Outside { .. }));
                let answer = Protocol::Tcp(SYN_ACK);
                let answer = if protocol == Protocol::Udp { Protocol::Udp } else { answer };
                let outside = SocketAddr::from(([192, 0, 2, 1], 5000 + port));
                let verdict = nat.handle_inbound(now, answer, outside, remote);
                // The newest always gets its answer.
                assert!(matches!(verdict, Verdict::Inside { .. }), "{inside} {remote}");
            }
        }
    }
    // One for each of the forty mappings, and what there was room for before.
    assert!(nat.table.remotes() <= 50 + 40, "{}", nat.table.remotes());
}

#[test]
fn neighbours_connect_by_their_outside_addresses() {
    // RFC 5382 REQ-8.
    let now = begin();
    let mut nat = nat(Config::home_router(pool(&["192.0.2.1"])));
    let (ada, grace) = (at(ADA), at("10.0.0.3:6000"));
    let (hers, his) = (at("192.0.2.1:5000"), at("192.0.2.1:6000"));
    let first = nat.handle_outbound(now, Protocol::Tcp(SYN), ada, his);
    assert_eq!(first, Verdict::Dropped(Reason::NoMapping));
    for (from, seen, to, host, flags) in [
        (grace, his, hers, ada, SYN),
        (ada, hers, his, grace, SYN_ACK),
        (grace, his, hers, ada, SYN_ACK),
        (ada, hers, his, grace, ACK),
    ] {
        let verdict = nat.handle_outbound(now, Protocol::Tcp(flags), from, to);
        assert_eq!(verdict, Verdict::Inside { source: seen, to: host });
    }
    assert!(nat.rows().iter().all(|row| row.phase == Some(Phase::Established)));
}

#[test]
fn each_protocol_has_a_lifetime_of_its_own() {
    // RFC 4787 REQ-5, RFC 5508 REQ-2, RFC 5382 REQ-5.
    let now = begin();
    for (protocol, lifetime) in
        [(Protocol::Udp, 2 * MINUTE), (Protocol::Icmp, MINUTE), (Protocol::Tcp(SYN), 4 * MINUTE)]
    {
        let mut nat = nat(port_restricted());
        nat.handle_outbound(now, protocol, at(ADA), at(REMOTE));
        assert_eq!(nat.poll_timeout(), Some(now + lifetime));
        nat.handle_timeout(now + lifetime - SECOND);
        assert_eq!(nat.rows().len(), 1);
        nat.handle_timeout(now + lifetime);
        assert_eq!(nat.rows().len(), 0);
    }
}

#[test]
fn linux_remembers_longer_what_is_answered_and_goes_on() {
    let mut now = begin();
    let mut nat = nat(Config::linux_masquerade(pool(&["192.0.2.1"])));
    out(&mut nat, now, ADA, "198.51.100.1:1000");
    assert_eq!(left(&nat, now), 30 * SECOND);
    // A query and its answer are no stream yet.
    now += SECOND;
    assert!(lets_in(&mut nat, now, at(OUTSIDE), "198.51.100.1:1000"));
    assert_eq!(left(&nat, now), 30 * SECOND);
    now += SECOND;
    out(&mut nat, now, ADA, "198.51.100.1:1000");
    assert_eq!(left(&nat, now), 120 * SECOND);

    // However long it goes on, it is none without an answer.
    out(&mut nat, now, "10.0.0.2:5001", "198.51.100.1:1000");
    now += 3 * SECOND;
    out(&mut nat, now, "10.0.0.2:5001", "198.51.100.1:1000");
    assert_eq!(nat.rows()[1].until - now, 30 * SECOND);
}
