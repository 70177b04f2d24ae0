use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use talkie_sim::nat::Config;
use talkie_sim::net::{Change, Duplex, Host, Link, Loss, Network, Oversize, Reordering};
use talkie_sim::trace::What;

use crate::echo::{Echo, SECOND, at, ip, seeded};

const MILLISECOND: Duration = Duration::from_millis(1);

fn any_link() -> impl Strategy<Value = Link> {
    let loss = prop_oneof![
        Just(Loss::None),
        (0.0..0.5).prop_map(Loss::Random),
        (0.0..0.2, 0.1..1.0).prop_map(|(worsens, recovers)| Loss::Burst {
            worsens,
            recovers,
            good: 0.0,
            bad: 0.9
        }),
    ];
    let oversize =
        prop_oneof![Just(Oversize::Vanishes), Just(Oversize::Reported), Just(Oversize::Fragmented)];
    let rate = prop::option::of(100_000..10_000_000_u64);
    let reordering = prop::option::of(0.0..0.3);
    (loss, oversize, rate, reordering, 0..40_u64, 0..20_u64, 600..1500_usize, 0.0..0.2).prop_map(
        |(loss, oversize, rate, reordering, delay, jitter, mtu, duplication)| Link {
            delay: Duration::from_millis(delay),
            jitter: Duration::from_millis(jitter),
            loss,
            rate,
            queue: 20_000,
            mtu,
            oversize,
            reordering: reordering
                .map(|probability| Reordering { probability, by: 7 * MILLISECOND }),
            duplication,
        },
    )
}

/// Three homes with two hosts each, one behind a provider's NAT, and hosts on the internet.
fn world(seed: u8, links: &[Link]) -> (Network, Vec<Host<Echo>>) {
    let mut links = links.iter().cycle().cloned();
    let mut duplex = || Duplex { up: links.next().unwrap(), down: links.next().unwrap() };
    let mut network = Network::new(&seeded(seed));
    network.record(100_000);
    let internet = network.add_internet("internet");
    let provider = Config::carrier_grade([ip("203.0.113.1")]);
    let provider = network.add_nat("provider", internet, duplex(), provider);
    let isp = network.add_router("isp", internet, duplex());
    let homes = [
        network.add_nat("one", provider, duplex(), Config::home_router([ip("100.64.0.1")])),
        network.add_nat("two", isp, duplex(), Config::symmetric([ip("192.0.2.2")])),
        network.add_nat("three", isp, duplex(), Config::full_cone([ip("192.0.2.3")])),
    ];
    let mut hosts = Vec::new();
    for (number, home) in homes.into_iter().enumerate() {
        for host in ["10.0.0.2", "10.0.0.3"] {
            let id = network.add_host(&format!("{host} of {number}"), Echo::default());
            network.attach(id, home, duplex(), [ip(host)]);
            hosts.push(id);
        }
    }
    // Only one answers, or two would never come to an end.
    for (host, machine) in [("198.51.100.1", Echo::default()), ("198.51.100.2", Echo::answering())]
    {
        let id = network.add_host(host, machine);
        network.attach(id, internet, duplex(), [ip(host)]);
        hosts.push(id);
    }
    (network, hosts)
}

const TARGETS: [&str; 7] = [
    "198.51.100.1:1",
    "198.51.100.2:2",
    "192.0.2.2:5000",
    "192.0.2.3:5000",
    "203.0.113.1:5000",
    "10.0.0.3:5000",
    "198.51.100.77:1",
];

/// From which host, to which target, how long, and how many milliseconds later.
type Send = (usize, usize, usize, u64);

fn play(seed: u8, links: &[Link], sends: &[Send]) -> Network {
    let (mut network, hosts) = world(seed, links);
    for (from, target, len, pause) in sends {
        let payload = vec![7; *len];
        network.call(hosts[*from], |machine, _| {
            machine.send("0.0.0.0:5000", at(TARGETS[*target]), &payload);
        });
        network.run_for(Duration::from_millis(*pause));
    }
    network
}

fn any_sends() -> impl Strategy<Value = Vec<Send>> {
    prop::collection::vec((0..7_usize, 0..TARGETS.len(), 0..2000_usize, 0..30_u64), 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Every packet that is sent or copied ends once, with a reason that the trace and the counters
    /// give, or is still on its way; nothing comes from nowhere.
    #[test]
    fn packets_are_neither_made_nor_lost(
        links in prop::collection::vec(any_link(), 1..12),
        sends in any_sends(),
    ) {
        let mut network = play(1, &links, &sends);
        let counters = network.counters().clone();
        prop_assert_eq!(
            counters.sent + counters.copies,
            counters.delivered + counters.dropped + network.in_flight() as u64
        );
        network.run_for(100 * SECOND);
        prop_assert_eq!(network.in_flight(), 0);
        let counters = network.counters().clone();
        prop_assert_eq!(counters.sent + counters.copies, counters.delivered + counters.dropped);
        prop_assert_eq!(counters.causes().iter().map(|(_, count)| count).sum::<u64>(), counters.dropped);

        let mut begun = BTreeMap::new();
        let mut ended = BTreeMap::new();
        let mut last = Duration::ZERO;
        for entry in network.trace().entries() {
            prop_assert!(entry.at >= last);
            last = entry.at;
            match entry.what {
                What::Sent => *begun.entry(entry.packet).or_insert(0) += 1,
                What::Duplicated { copy } => *begun.entry(copy).or_insert(0) += 1,
                What::Delivered | What::Dropped(_) => *ended.entry(entry.packet).or_insert(0) += 1,
                What::Forwarded | What::Translated { .. } => {
                    prop_assert!(!ended.contains_key(&entry.packet), "it goes on after its end");
                }
            }
        }
        prop_assert!(begun.values().all(|times| *times == 1));
        prop_assert_eq!(begun, ended);
    }

    /// The same seed and calls give the same bytes.
    #[test]
    fn a_seed_is_a_story(
        links in prop::collection::vec(any_link(), 1..6),
        sends in any_sends(),
        seed in any::<u8>(),
    ) {
        let (one, two) = (play(seed, &links, &sends), play(seed, &links, &sends));
        prop_assert_eq!(one.trace().forgotten(), 0);
        prop_assert!(one.trace().pcapng() == two.trace().pcapng());
        prop_assert!(one.trace().json() == two.trace().json());
        prop_assert_eq!(one.counters(), two.counters());
    }

    /// No more comes out of a link than its rate allows, and nothing waits longer than its queue is long.
    #[test]
    fn a_link_keeps_its_rate_and_its_queue(
        rate in 50_000..5_000_000_u64,
        queue in 0..30_000_usize,
        sends in prop::collection::vec((1..1400_usize, 0..8_000_u64), 1..200),
    ) {
        let mut network = Network::new(&seeded(3));
        let lan = network.add_lan("lan");
        let sender = network.add_host("sender", Echo::default());
        let delay = 3 * MILLISECOND;
        let up = Link { rate: Some(rate), queue, delay, ..Link::default() };
        network.attach(sender, lan, Duplex { up, down: Link::default() }, [ip("10.0.0.1")]);
        let receiver = network.add_host("receiver", Echo::default());
        network.attach(receiver, lan, Link::with_delay(Duration::ZERO), [ip("10.0.0.2")]);
        let begin = network.now();
        let mut sent_at = Vec::new();
        for (number, (len, pause)) in sends.iter().enumerate() {
            let mut payload = vec![0; (*len).max(4)];
            payload[..4].copy_from_slice(&(number as u32).to_be_bytes());
            sent_at.push(network.now());
            network.call(sender, |machine, _| machine.send("10.0.0.1:1", at("10.0.0.2:1"), &payload));
            network.run_for(Duration::from_micros(*pause));
        }
        network.run_for(20 * SECOND);
        let seconds = |bytes: usize| bytes as f64 * 8.0 / rate as f64;
        let seen: Vec<_> = std::iter::from_fn(|| network.poll_event(receiver)).collect();
        let mut number_before = None;
        for (index, one) in seen.iter().enumerate() {
            let number = u32::from_be_bytes(one.payload[..4].try_into().unwrap()) as usize;
            prop_assert!(number_before.is_none_or(|before| before < number), "the order is kept");
            number_before = Some(number);
            let waited = (one.at - sent_at[number] - delay).as_secs_f64();
            prop_assert!(waited <= seconds(queue.max(one.payload.len() + 28)) + 1e-6, "{}", waited);
            let bytes: usize = seen[..=index].iter().map(|it| it.payload.len() + 28).sum();
            let elapsed = (one.at - begin - delay).as_secs_f64();
            prop_assert!(seconds(bytes) <= elapsed + 1e-6, "{} bytes in {} s", bytes, elapsed);
        }
    }
}

#[test]
fn another_seed_is_another_story() {
    let links = [Link { loss: Loss::Random(0.3), jitter: MILLISECOND, ..Link::default() }];
    let sends: Vec<Send> = (0..50).map(|n| (n % 7, n % 5, 100, 5)).collect();
    let (one, two) = (play(1, &links, &sends), play(2, &links, &sends));
    assert_ne!(one.counters(), two.counters());
}

/// What one link loses does not depend on what happens elsewhere.
#[test]
fn links_have_chances_of_their_own() {
    let lossy = Link { loss: Loss::Random(0.3), ..Link::default() };
    let mut seen = Vec::new();
    for noise in [false, true] {
        let (mut network, hosts) = world(5, std::slice::from_ref(&lossy));
        for number in 0..100_u8 {
            if noise {
                network.call(hosts[3], |machine, _| {
                    machine.send("0.0.0.0:5000", at("192.0.2.3:5000"), b"noise");
                });
            }
            network.call(hosts[6], |machine, _| {
                machine.send("198.51.100.1:9", at("198.51.100.2:9"), &[number]);
            });
            network.run_for(SECOND);
        }
        let arrived = std::iter::from_fn(|| network.poll_event(hosts[7])).map(|it| it.payload);
        seen.push(arrived.collect::<Vec<_>>());
    }
    assert!(seen[0].len() > 30 && seen[0].len() < 70);
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn changes_happen_on_time_and_once() {
    let (mut network, hosts) = world(1, &[Link::default()]);
    let extra = network.add_lan("island");
    let interface = network.attach(hosts[6], extra, Link::default(), [ip("10.9.9.9")]);
    for second in 1..=3 {
        let change = Change::Readdress(interface, vec![ip(&format!("10.9.9.{second}"))]);
        network.schedule(network.now() + second * SECOND, change);
    }
    for second in 1..=3 {
        network.run_until(network.now() + SECOND);
        assert!(network.has_address(hosts[6], ip(&format!("10.9.9.{second}"))));
        assert!(!network.has_address(hosts[6], ip(&format!("10.9.9.{}", second + 1))));
    }
}
