use super::*;
use crate::ink::Ink;
use crate::svg::without_figures;

/// D: direct, R: by the relay, -: not at all. Left types from above, right types across, both in the
/// order of [`Preset::all`].
const EXPECTED: &str = "\
full-cone           D D D D D D D D D D D D D D R
address-restricted  D D D D D D D D D D D D R D R
port-restricted     D D D R D D R D D R R D R D R
symmetric           D D R R R R R R R R R R R R R
linux-masquerade    D D R R R R R R R R R R R R R
linux-firewalled    D D D R D D R D D R R D R D R
linux-random-fully  D D R R R R R R R R R R R R R
home-router         D D D R D D R D D R R D R D R
home-forgetful      D D D R D D R D D R R D R D R
home-sequential     D D R R R R R R R R R R R R R
address-dependent   D D R R R R R R R R R R R R R
cgnat               D D D R D D R D D R R D R D R
cgnat-symmetric     D R R R R R R R R R R R R R R
firewall            D D D R D D R D D R R D R D R
udp-blocked         R R R R R R R R R R R R R R R
";

/// The same where the hosts guess ports. To guess, a host asks the server four times: behind a pool it is
/// seen at several of its addresses, and whoever filters by address lets them all in. A Linux that is sent to
/// before it has sent everything gives other ports than before, so that a guess may be right and in vain.
const PREDICTED: &str = "\
full-cone           D D D D D D D D D D D D D D R
address-restricted  D D D D D D D D D D D D D D R
port-restricted     D D D R D D R D D D R D R D R
symmetric           D D R R R R R R R R R R R R R
linux-masquerade    D D R R R R R R R R R R R R R
linux-firewalled    D D D R D D R D D D R D R D R
linux-random-fully  D D R R R R R R R R R R R R R
home-router         D D D R D D R D D D R D R D R
home-forgetful      D D D R D D R D D D R D R D R
home-sequential     D D D R R D R D D R R D R D R
address-dependent   D D R R R R R R R R R R R R R
cgnat               D D D R D D R D D D R D R D R
cgnat-symmetric     D D R R R R R R R R R R R R R
firewall            D D D R D D R D D D R D R D R
udp-blocked         R R R R R R R R R R R R R R R
";

fn plan(kinds: impl IntoIterator<Item = Preset>) -> Plan {
    Plan { kinds: kinds.into_iter().collect(), seeds: 1, setting: Setting::default() }
}

fn run(plan: Plan) -> Matrix {
    plan.run(Instant::now(), |_, _| ())
}

fn classic() -> Matrix {
    run(plan(Preset::all().take(4)))
}

#[test]
fn every_pair_of_types_ends_as_theory_says() {
    assert_eq!(letters(&run(plan(Preset::all()))), EXPECTED);
}

#[test]
fn guesses_make_nats_that_count_direct_and_nobody_worse_off() {
    let setting = Setting { predict: true, ..Setting::default() };
    assert_eq!(letters(&run(Plan { setting, ..plan(Preset::all()) })), PREDICTED);
}

fn letters(matrix: &Matrix) -> String {
    let mut table = String::new();
    for (row, left) in matrix.plan.kinds.iter().enumerate() {
        table += &format!("{left:<19}");
        for column in 0..matrix.plan.kinds.len() {
            table += match matrix.verdict(row, column).kind() {
                Kind::Direct => " D",
                Kind::Sometimes => " ?",
                Kind::Relay => " R",
                Kind::None => " -",
            };
        }
        table.push('\n');
    }
    table
}

#[test]
fn who_reaches_whom_does_not_depend_on_the_seed() {
    for seed in [77, u64::MAX] {
        let setting = Setting { seed, ..Setting::default() };
        let matrix = run(Plan { setting, ..plan(Preset::all()) });
        assert_eq!(letters(&matrix), EXPECTED, "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_matrix_and_another_one_other_times() {
    let setting = Setting { loss: 0.2, ..Setting::default() };
    let lossy = || run(Plan { setting, seeds: 3, ..plan(Preset::all().take(3)) });
    assert_eq!(lossy(), lossy());
    let other = Setting { seed: 99, ..setting };
    let other = run(Plan { setting: other, seeds: 3, ..plan(Preset::all().take(3)) });
    assert_ne!(lossy().outcomes, other.outcomes);
}

#[test]
fn longer_ways_take_longer() {
    let after = |delay| {
        let setting = Setting { delay: Duration::from_millis(delay), ..Setting::default() };
        match run(Plan { setting, ..plan([Preset::PortRestricted]) }).verdict(0, 0) {
            Verdict::Direct { after } => after,
            other => panic!("{other}"),
        }
    };
    assert!(after(200) > after(20) + Duration::from_millis(180));
}

#[test]
fn all_types_fit_in_80_columns_and_four_have_room_for_words() {
    let all = run(plan(Preset::all()));
    for (matrix, columns) in [(&all, 80), (&all, 120), (&classic(), 80)] {
        for line in matrix.table(columns).lines(Ink::PLAIN) {
            assert!(line.chars().count() <= columns, "{line}");
        }
    }
    assert!(all.table(80).text(Ink::PLAIN).starts_with("left ↓   right →      a   b"));
    let table = classic().table(80).text(Ink::PLAIN);
    assert!(table.contains("left ↓   right →"), "who calls and who answers: {table}");
    let symmetric =
        table.lines().find(|line| line.contains(" symmetric ") && line.starts_with('d'));
    let cells: Vec<_> = symmetric.unwrap().split_whitespace().skip(2).collect();
    assert_eq!((cells[1], &cells[4..]), ("ms", &["relay", "relay"][..]), "{table}");
    assert!(table.contains("13 of 16 pairs") && table.contains("3 of 16 pairs"), "{table}");
}

#[test]
fn how_far_hosts_are_apart_is_no_matter_of_nats() {
    let far = |delay| Setting { delay: Duration::from_millis(delay), ..Setting::default() };
    let counts = |delay| run(Plan { setting: far(delay), ..plan(Preset::all().take(4)) }).counts();
    for delay in [1, 600, 1000, 2000] {
        assert_eq!(counts(delay), [13, 0, 3, 0], "{delay} ms");
    }
    let without_udp = [Preset::Symmetric, Preset::UdpBlocked];
    let matrix = run(Plan { setting: far(2000), ..plan(without_udp) });
    assert_eq!(matrix.counts(), [0, 0, 4, 0]);
}

#[test]
fn json_has_every_pair() {
    let json: serde_json::Value = serde_json::from_str(&classic().json()).unwrap();
    assert_eq!(json["pairs"].as_array().unwrap().len(), 16);
    let last = &json["pairs"][15];
    assert_eq!((&last["left"], &last["result"]), (&"symmetric".into(), &"relay".into()));
    assert_eq!((&last["direct"], &last["runs"]), (&0.into(), &1.into()));
    assert!(last["after_ms"].as_u64().unwrap() > 1000);
    assert_eq!(last["relay_over"], serde_json::json!(["udp", "udp"]));
}

#[test]
fn where_udp_is_blocked_the_relay_is_reached_over_tcp_whatever_the_seed() {
    for seed in [2, 77, u64::MAX] {
        let setting = Setting { seed, ..Setting::default() };
        let kinds = [Preset::UdpBlocked, Preset::FullCone];
        let matrix = run(Plan { setting, ..plan(kinds) });
        assert_eq!(matrix.counts(), [1, 0, 3, 0], "seed {seed}");
        let json: serde_json::Value = serde_json::from_str(&matrix.json()).unwrap();
        assert_eq!(json["pairs"][1]["relay_over"], serde_json::json!(["tcp", "udp"]));
        assert!(matrix.table(80).text(Ink::PLAIN).contains("over TCP where UDP is blocked"));
    }
    let far = Setting { delay: Duration::from_millis(500), ..Setting::default() };
    let matrix = run(Plan { setting: far, ..plan([Preset::UdpBlocked]) });
    assert_eq!(matrix.counts(), [0, 0, 1, 0], "far away");
}

#[test]
fn the_picture_says_in_words_what_it_shows() {
    let svg = classic().svg();
    assert!(svg.contains("<title id=\"title\">Who reaches whom"), "{svg}");
    assert!(svg.contains("symmetric with") && svg.contains("port-restricted: relayed"), "{svg}");
    assert!(svg.contains("prefers-color-scheme:dark"));
    assert!(!svg.contains("http") || svg.matches("http").count() == 1, "only the namespace");
    assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
}

/// The picture in the README is the command's: `talkie lab matrix --svg docs/images/nat-matrix.svg`. How many
/// milliseconds it takes may change with every improvement of the agent, who reaches whom may not.
#[test]
fn the_picture_in_the_documents_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images/nat-matrix.svg");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        without_figures(&committed) == without_figures(&run(plan(Preset::all())).svg()),
        "make it again: cargo run -- lab matrix --svg docs/images/nat-matrix.svg"
    );
}
