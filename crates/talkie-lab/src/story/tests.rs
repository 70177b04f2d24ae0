use std::time::Instant;

use super::*;
use crate::ink::Ink;
use crate::svg::without_figures;

const SERVER: &str = "192.0.2.1:3478";

fn story(left: Preset, right: Preset) -> Story {
    play(left, right, &Setting::default(), Instant::now()).0
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ip(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

fn text(story: &Story, columns: usize) -> String {
    story.pages(columns).iter().map(|page| page.text(Ink::PLAIN)).collect()
}

/// A story by hand: one packet that arrives, and one that dies.
fn by_hand() -> Story {
    let hop = |source, destination| Hop { source: at(source), destination: at(destination) };
    let step = Step {
        at: Duration::from_micros(1500),
        packet: 1,
        what: "hello".into(),
        purpose: Purpose::Checking,
        transaction: None,
        continues: false,
        times: 1,
        from: 0,
        to: 4,
        hops: vec![
            hop("10.0.0.1:1", "192.0.2.2:4"),
            hop("192.0.2.1:2", "192.0.2.2:4"),
            hop("192.0.2.1:2", "192.0.2.2:4"),
            hop("192.0.2.1:2", "10.0.0.2:3"),
        ],
        end: End::Arrives,
    };
    let dropped = Step {
        packet: 2,
        from: 4,
        to: 1,
        times: 3,
        hops: step.hops[..3].to_vec(),
        end: End::Dropped { why: "filtered".into() },
        ..step.clone()
    };
    Story {
        kinds: [Preset::FullCone, Preset::Symmetric],
        setting: Setting::default(),
        addresses: ["h1", "n1", "s", "n2", "h2"].map(str::to_owned),
        scenes: vec![Scene {
            title: "Only scene".into(),
            items: vec![
                Item::Note(Note {
                    at: Duration::ZERO,
                    lane: 4,
                    text: "wakes up".into(),
                    ends: false,
                }),
                Item::Step(step),
                Item::Step(dropped),
            ],
        }],
        before: [Vec::new(), Vec::new()],
        after: [
            vec![Mapping {
                inside: at("10.0.0.1:1"),
                outside: at("192.0.2.1:2"),
                protocol: "udp".into(),
                to: "any".into(),
                from: "any".into(),
                age: Duration::from_millis(250),
            }],
            Vec::new(),
        ],
        outcome: Outcome::Failed,
        relay_over: [Transport::Udp; 2],
        pairs: [Vec::new(), Vec::new()],
        why: vec!["It is only a test.".into()],
        left_out: 7,
    }
}

#[test]
fn a_story_is_drawn_as_it_was_written() {
    let drawing = text(&by_hand(), 64);
    let diagram = drawing.split_once("Only scene\n").unwrap().1;
    assert_eq!(
        diagram,
        "        │            │            │            │            │
   0.0  │            │            │            │        wakes up
   1.5  1 hello      │            │            │            │
        ├─── 1→4 ────●─── 2→4 ────┼─── 2→4 ────●─── 2→3 ───▶│
   1.5  │            │            │            2 hello (3 times)
        │            ✗─── 4←2 ────┼─── 4←2 ────●─── 4←1 ────┤
        │       ✗ filtered        │            │            │

        (7 more packets, most of them to and from the relay:
        --all shows them.)

What became of the pairs of addresses (times in ms)

  left host
    (nothing was tried)

  right host
    (nothing was tried)

What the NATs remember

  left NAT  before the first check
    (nothing)

  left NAT  at the end
    inside      outside      used to  lets in  age
    10.0.0.1:1  192.0.2.1:2  any      any      0.25s

  right NAT before the first check
    (nothing)

  right NAT at the end
    (nothing)

Not connected at all.
  It is only a test.
"
    );
}

#[test]
fn every_pair_can_be_told_in_80_columns() {
    for left in Preset::all() {
        for right in [Preset::PortRestricted, Preset::CgnatSymmetric, Preset::Firewall] {
            let whole = story(left, right);
            for told in [&whole.digest(), &whole] {
                let drawing = text(told, 80);
                for line in drawing.lines() {
                    assert!(line.chars().count() <= 80, "{left} {right}: {line}");
                }
            }
        }
    }
}

#[test]
fn a_hole_is_punched_by_a_packet_that_dies() {
    let story = story(Preset::PortRestricted, Preset::PortRestricted);
    assert!(story.outcome.is_direct());
    let digest = story.digest();
    let steps: Vec<&Step> = digest.scenes[1].steps().collect();
    // The right side is told first: its check dies at the left NAT, whose host has sent nothing.
    let died = steps.iter().find(|step| matches!(step.end, End::Dropped { .. })).unwrap();
    assert_eq!((died.from, died.to), (4, 1));
    assert_eq!(
        died.end,
        End::Dropped { why: "filtered: :5000 has sent nothing to 203.0.113.20:6000".into() }
    );
    // On its way out it opened the right NAT: the left side's check gets in at once.
    let answer = steps.iter().find(|step| step.from == 0 && step.to == 4).unwrap();
    assert_eq!(answer.end, End::Arrives);
    assert!(answer.at > died.at);
    let why = story.why.join(" ");
    assert!(why.contains(&format!("Packet {} from the right died", died.packet)), "{why}");
    // And the table at the end has the peer, which it had not before.
    let lets_in = |rows: &[Mapping]| rows.iter().any(|row| row.from == "203.0.113.20:6000");
    assert!(!lets_in(&story.before[0]) && lets_in(&story.after[0]));
}

#[test]
fn a_symmetric_nat_shows_its_peer_another_port() {
    let story = story(Preset::Symmetric, Preset::PortRestricted);
    assert!(matches!(story.outcome, Outcome::Relayed { .. }));
    let outside: std::collections::BTreeSet<_> =
        story.after[0].iter().map(|row| row.outside.port()).collect();
    assert_eq!(outside.len(), 3, "the server, the relay and the peer each see another port");
    let why = story.why.join(" ");
    assert!(why.contains("was of no use to the right side"), "{why}");
    assert!(why.contains("expects answers from that address and port"), "{why}");
    assert!(!why.contains("remembered it as a flow"), "{why}");
}

#[test]
fn every_pair_of_addresses_says_what_became_of_it() {
    let story = story(Preset::Symmetric, Preset::PortRestricted).digest();
    let [left, right] = &story.pairs;
    let find = |pairs: &[Pair], local: &str, remote: &str| -> Pair {
        let is_it = |pair: &&Pair| (pair.local_kind, pair.remote_kind) == (local, remote);
        pairs.iter().find(is_it).unwrap_or_else(|| panic!("{local} → {remote}: {pairs:?}")).clone()
    };
    // The two that would be direct, and which box stopped them.
    let direct = find(left, "host", "srflx");
    assert_eq!(direct.end, Standing::Unanswered, "{direct:?}");
    let died = direct.died.clone().unwrap();
    assert!(died.contains("first a check, at the right NAT, filtered: :6000 has sent"), "{died}");
    let words = direct.words();
    assert!(words.contains("checks are sent, from ") && words.contains(&died), "{words}");
    let died = find(right, "host", "srflx").died.unwrap();
    assert!(died.contains("at the left NAT, filtered: "), "{died}");
    // The one that is used.
    assert_eq!(left[0].end, Standing::Used, "the used one comes first");
    assert_eq!((left[0].local_kind, left[0].remote_kind), ("host", "relay"));
    let words = left[0].words();
    for part in ["answered at ", "seen as 198.51.100.10:", "proposed at ", "agreed on at "] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert_eq!(right[0].remote_kind, "prflx", "nobody had told the symmetric NAT's port");
    let drawing = text(&story, 80);
    assert!(
        drawing.contains("    used        host 192.168.1.2:5000 → relay 192.0.2.1:"),
        "{drawing}"
    );
    // Nobody is told private addresses.
    let is_private = |pair: &&Pair| ["192.168.1.2", "10.0.0.2"].map(ip).contains(&pair.remote.ip());
    assert_eq!(story.pairs.iter().flatten().find(is_private), None);
}

#[test]
fn a_guessed_port_is_told_and_explained() {
    let setting = Setting { predict: true, ..Setting::default() };
    let kinds = [Preset::HomeSequential, Preset::PortRestricted];
    let (story, _) = play(kinds[0], kinds[1], &setting, Instant::now());
    assert!(story.outcome.is_direct(), "{:?}", story.outcome);
    let used = &story.pairs[1][0];
    assert_eq!((used.end, used.remote_kind), (Standing::Used, "guess"), "{used:?}");
    let why = story.why.join(" ");
    assert!(why.contains("gives its ports in an order") && why.contains("8 ports"), "{why}");
    let drawing = text(&story.digest(), 80);
    assert!(
        drawing.contains("left host guesses that its next port is 198.51.100.10:"),
        "{drawing}"
    );
    assert!(drawing.contains("ports are guessed"), "{drawing}");
    // Two that count do not find each other, and are told why.
    let (story, _) = play(kinds[0], kinds[0], &setting, Instant::now());
    assert!(matches!(story.outcome, Outcome::Relayed { .. }), "{:?}", story.outcome);
    assert!(story.why.join(" ").contains("guesses of its next port"), "{:?}", story.why);
}

#[test]
fn who_hears_nothing_gives_up_and_each_pair_says_so() {
    let setting = Setting { loss: 0.9, seed: 3, ..Setting::default() };
    let (story, _) = play(Preset::FullCone, Preset::Symmetric, &setting, Instant::now());
    assert_eq!(story.outcome, Outcome::Failed);
    let drawing = text(&story, 80);
    assert_eq!(drawing.matches("gives up: no pair of addresses works").count(), 2, "{drawing}");
    let failed = &story.pairs[1][0];
    assert_eq!(failed.end, Standing::Failed, "{failed:?}");
    let words = failed.words();
    assert!(words.starts_with("7 checks are sent, from ") && words.contains("lost on the way"));
    assert!(words.ends_with(": no answer"), "{words}");
}

#[test]
fn an_uninvited_packet_moves_a_masqueraded_port() {
    let called = story(Preset::LinuxMasquerade, Preset::PortRestricted);
    assert!(matches!(called.outcome, Outcome::Relayed { .. }));
    let why = called.why.join(" ");
    assert!(why.contains("remembered it as a flow of its own"), "{why}");
    // The port is in use, only not towards who sent the packet.
    let died = called.scenes[1].steps().find(|step| step.to == 1).unwrap();
    let why = "no mapping: :5000 has sent nothing to 203.0.113.20:6000".to_owned();
    assert_eq!(died.end, End::Dropped { why });
    // The side that sends first is not hurt.
    assert!(story(Preset::PortRestricted, Preset::LinuxMasquerade).outcome.is_direct());
}

#[test]
fn where_udp_is_blocked_only_the_connection_to_the_relay_leaves() {
    let story = story(Preset::UdpBlocked, Preset::FullCone);
    assert!(matches!(story.outcome, Outcome::Relayed { .. }), "{:?}", story.outcome);
    assert_eq!(story.relay_over, [Transport::Tcp, Transport::Udp]);
    assert!(story.why[0].contains("lets no UDP out"), "{:?}", story.why);
    assert!(story.why[1].contains("opens a connection"), "{:?}", story.why);
    let steps = |story: &Story| -> Vec<Step> {
        story.scenes.iter().flat_map(Scene::steps).cloned().collect()
    };
    // The UDP socket's packets die at the NAT, the TCP port's all arrive.
    let ends = |port| -> std::collections::BTreeSet<usize> {
        let from = steps(&story).into_iter().filter(|step| step.from == 0);
        from.filter(|step| step.hops[0].source.port() == port).map(|step| step.to).collect()
    };
    let [row] = &story.after[0][..] else { panic!("{:?}", story.after[0]) };
    assert_eq!((&*row.protocol, &*row.from), ("tcp", SERVER));
    assert_eq!((ends(5000), ends(row.inside.port())), ([1].into(), [2].into()));
    // The handshake is drawn, and so is the exchange by the relay.
    let digest = story.digest();
    let lanes: Vec<_> = steps(&digest)
        .into_iter()
        .filter(|step| step.purpose == Purpose::Connecting)
        .map(|step| (step.from, step.to, step.end))
        .collect();
    assert_eq!(lanes, [(0, 2, End::Arrives), (2, 0, End::Arrives)]);
    assert!(steps(&digest).iter().any(|step| step.purpose == Purpose::Relaying));
    assert!(steps(&digest).iter().all(|step| step.purpose != Purpose::Acknowledging));
    let drawing = text(&digest, 80);
    assert!(drawing.contains(&format!("tcp {}", row.inside)), "{drawing}");
    assert!(drawing.contains("by the relay only (TCP on the left)"), "{drawing}");
}

/// Both sides have a relay, and checks over both are answered: what counts is which one is used.
#[test]
fn the_digest_shows_the_relay_that_is_used() {
    let mut told = 0;
    for left in [Preset::Symmetric, Preset::LinuxMasquerade, Preset::UdpBlocked] {
        for right in Preset::all() {
            let whole = story(left, right);
            if !matches!(whole.outcome, Outcome::Relayed { .. }) {
                continue;
            }
            let digest = whole.digest();
            let by_the_server = |step: &&Step| {
                let checks = matches!(step.purpose, Purpose::Relaying | Purpose::Checking);
                checks && (step.from == 2 || step.to == 2) && step.transaction.is_some()
            };
            let notes = digest.scenes.iter().flat_map(|scene| &scene.items);
            for note in notes.filter_map(|item| match item {
                Item::Note(note) if note.ends => Some(note),
                _ => None,
            }) {
                let remote = at(note.text.rsplit(' ').next().unwrap());
                let names_it = |step: &Step| {
                    let hops = step.hops.iter();
                    hops.flat_map(|hop| [hop.source, hop.destination]).any(|end| end == remote)
                        || step.what.contains(&remote.to_string())
                };
                let mut steps = digest.scenes.iter().flat_map(Scene::steps).filter(by_the_server);
                assert!(steps.any(names_it), "{left} {right}: {}", note.text);
                told += 1;
            }
        }
    }
    assert!(told > 50, "{told}");
}

#[test]
fn a_firewall_s_packets_are_told_as_well() {
    let story = story(Preset::Firewall, Preset::PortRestricted);
    let out = story.scenes[0].steps().find(|step| step.from == 0).unwrap();
    assert_eq!(out.hops[0], out.hops[1], "nothing is translated");
    assert!(story.why[0].contains("no translation"), "{:?}", story.why);
}

#[test]
fn the_digest_leaves_out_what_repeats_itself_and_counts_it() {
    let whole = story(Preset::Symmetric, Preset::Symmetric);
    let digest = whole.digest();
    let steps = |story: &Story| -> std::collections::BTreeMap<usize, usize> {
        let steps = story.scenes.iter().flat_map(Scene::steps);
        steps.map(|step| (step.packet, step.times)).collect()
    };
    let packets = |story: &Story| steps(story).len();
    assert!(packets(&digest) < 16, "{}", packets(&digest));
    let told: usize = steps(&digest).values().sum();
    assert_eq!(told + digest.left_out, packets(&whole));
    // A check by the relay takes two packets, and so does its answer.
    let by_the_relay = |step: &&Step| step.purpose == Purpose::Relaying;
    assert!(digest.scenes.iter().flat_map(Scene::steps).filter(by_the_relay).count() >= 2);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let one = story(Preset::Symmetric, Preset::FullCone);
    assert_eq!(one, story(Preset::Symmetric, Preset::FullCone));
    let setting = Setting { seed: 2, ..Setting::default() };
    let (other, _) = play(Preset::Symmetric, Preset::FullCone, &setting, Instant::now());
    assert_ne!(one, other);
}

#[test]
fn lost_packets_are_told_where_they_die() {
    let setting = Setting { loss: 0.4, seed: 3, ..Setting::default() };
    let (story, _) = play(Preset::FullCone, Preset::FullCone, &setting, Instant::now());
    let lost = |step: &&Step| step.end == End::Dropped { why: "lost on the way".into() };
    let ends: std::collections::BTreeSet<usize> =
        story.scenes.iter().flat_map(Scene::steps).filter(lost).map(|step| step.to).collect();
    assert!(!ends.is_empty());
    assert!(text(&story, 80).contains("✗ lost on the way"));
}

#[test]
fn json_and_picture_hold_the_whole_story() {
    let story = story(Preset::AddressRestricted, Preset::Symmetric);
    let json: serde_json::Value = serde_json::from_str(&story.json()).unwrap();
    assert_eq!(json["kinds"], serde_json::json!(["address-restricted", "symmetric"]));
    assert_eq!(json["outcome"]["result"], "direct");
    assert_eq!(json["relay_over"], serde_json::json!(["udp", "udp"]));
    assert_eq!(json["after"][0][0]["protocol"], "udp");
    let first = &json["scenes"][0]["items"][0]["step"];
    assert_eq!((&first["packet"], &first["purpose"]), (&1.into(), &"asking".into()));
    let svg = story.digest().svg();
    assert!(svg.contains("<desc id=\"desc\">Connected directly"), "{svg}");
    assert!(svg.contains("✗") || svg.contains("filtered: "), "{svg}");
    for tag in ["text", "svg", "style", "title", "desc"] {
        let opened =
            svg.matches(&format!("<{tag}>")).count() + svg.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

/// Numbers and the order of packets may change with every improvement of the agent, what is explained may not.
#[test]
fn the_pictures_in_the_documents_are_up_to_date() {
    for (file, left, right) in [
        ("nat-punch.svg", Preset::PortRestricted, Preset::PortRestricted),
        ("nat-relay.svg", Preset::Symmetric, Preset::PortRestricted),
    ] {
        let path = format!("{}/../../docs/images/{file}", env!("CARGO_MANIFEST_DIR"));
        let [committed, made] =
            [std::fs::read_to_string(path).unwrap(), story(left, right).digest().svg()]
                .map(|svg| explanation(&svg));
        assert!(made.len() > 200, "{made}");
        assert!(
            committed == made,
            "make it again: cargo run -- lab show --left {left} --right {right} \
             --svg docs/images/{file}"
        );
    }
}

/// The words below the tables.
fn explanation(svg: &str) -> String {
    let texts = svg.split("<text ").skip(1).filter_map(|text| text.split(['>', '<']).nth(1));
    let words: Vec<&str> = texts.skip_while(|text| !text.starts_with("Connected")).collect();
    without_figures(&words.join(" "))
}
