//! `talkie lab list`, `matrix`, `show` and `flow`.

use crate::program::{run, talkie};

#[test]
fn what_is_told_wrong_ends_with_2_and_one_sentence() {
    for (args, sentence) in [
        (&["matrix", "--types", "symetric"][..], "did you mean `symmetric`?"),
        (&["list", "fullcone"], "did you mean `full-cone`?"),
        (&["show", "--left", "symmetric", "--right", "x"], "no NAT type is called `x`"),
        (&["matrix", "--delay", "fast"], "--delay takes a time"),
        (&["matrix", "--loss", "100"], "--loss takes a percentage"),
        (&["matrix", "--types", ","], "--types names no type"),
        (&["matrix", "--svg", "-", "--json"], "cannot both go to standard output"),
        (
            &["show", "--left", "cgnat", "--right", "cgnat", "--pcap", "-", "--svg", "-"],
            "cannot both go to standard output",
        ),
        (&["flow", "--rate", "fast"], "--rate takes bits per second"),
        (&["flow", "--rate", "200"], "such as 200mbit; not `200`"),
        (&["flow", "--rtt", "40"], "--rtt takes a time"),
        (&["flow", "--loss", "all"], "--loss takes a percentage"),
        (&["flow", "--loss", "-1"], "--loss takes a percentage"),
        (&["flow", "--buffer", "huge"], "--buffer takes a size"),
        (&["flow", "--burst", "0"], "--burst takes a number of packets"),
        (&["flow", "--burst", "2", "--loss", "80%"], "cannot lose 80% of all packets, 67% at most"),
        (&["flow", "--queue", "red"], "no queue is called `red`"),
        (&["flow", "--controller", "vegas"], "no congestion controller is called `vegas`"),
        (&["flow", "--controller", ","], "--controller names none"),
        (&["flow", "--controller", "bbr,cubic", "--flows", "1"], "less than the 2 controllers"),
        (&["flow", "--flows", "3", "--stagger", "10s", "--time", "20s"], "would begin after 20 s"),
        (&["flow", "--svg", "-", "--json"], "cannot both go to standard output"),
    ] {
        let said = run(talkie(&["lab"]).args(args));
        assert_eq!(said.code, Some(2), "{args:?}");
        assert!(said.stderr.contains(sentence), "{args:?}: {}", said.stderr);
        assert_eq!((said.stderr.lines().count(), said.stdout.as_str()), (1, ""), "{args:?}");
    }
    assert_eq!(run(&mut talkie(&["lab", "matrix", "--seeds", "0"])).code, Some(2));
}

#[test]
fn a_file_that_cannot_be_written_ends_with_1() {
    let matrix = ["lab", "matrix", "--types", "full-cone", "--svg", "/nonexistent/x.svg"];
    let said = run(&mut talkie(&matrix));
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.starts_with("error: cannot write /nonexistent/x.svg: "), "{}", said.stderr);
    let show =
        ["lab", "show", "--left", "firewall", "--right", "cgnat", "--pcap", "/nonexistent/x"];
    assert_eq!(run(&mut talkie(&show)).code, Some(1));
}

#[test]
fn a_file_that_cannot_be_written_is_noticed_before_anything_is_played() {
    // An hour at 10 Gbit/s would take many times as long as a test may.
    let flow =
        ["lab", "flow", "--rate", "10gbit", "--time", "60min", "--svg", "/nonexistent/x.svg"];
    let said = run(&mut talkie(&flow));
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(said.stderr.starts_with("error: cannot write /nonexistent/x.svg: "), "{}", said.stderr);
    // Nothing is left of the trial, and nothing lost that was there.
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("old.json"), "old").unwrap();
    let mut command = talkie(&["lab", "flow", "--json"]);
    command.arg(file("old.json")).arg("--svg").arg(directory.path());
    assert_eq!(run(&mut command).code, Some(1));
    assert_eq!(std::fs::read_to_string(file("old.json")).unwrap(), "old");
    let mut command = talkie(&["lab", "flow", "--json"]);
    command.arg(file("new.json")).arg("--svg").arg(directory.path());
    assert_eq!(run(&mut command).code, Some(1));
    assert!(!file("new.json").exists());
}

#[test]
fn a_slow_line_and_flows_that_begin_at_the_last_moment() {
    let slow = ["lab", "flow", "--rate", "100kbit", "--time", "5s"];
    let said = run(talkie(&slow).env("LC_ALL", "C"));
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    assert!(said.stdout.contains("100 kbit/s"), "{}", said.stdout);
    let late = ["lab", "flow", "--flows", "2", "--stagger"];
    let said = run(talkie(&late).arg("19.999s"));
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""));
    assert!(said.stderr.contains("would begin after 19.999 s"), "{}", said.stderr);
    let early = ["lab", "flow", "--rate", "1mbit", "--time", "2s", "--flows", "2", "--stagger"];
    let said = run(talkie(&early).arg("0.25s").env("LC_ALL", "C"));
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    let words = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Counted from 0.25 s on"), "{words}");
}

#[test]
fn files_hold_the_pair_for_other_programs() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let show = ["lab", "show", "--left", "symmetric", "--right", "symmetric"];
    let mut command = talkie(&show);
    command.arg("--svg").arg(file("a.svg")).arg("--pcap").arg(file("a.pcapng"));
    let said = run(command.arg("--json").arg("-"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.starts_with('{') && said.stdout.contains("\"result\": \"relay\""));
    assert!(std::fs::read_to_string(file("a.svg")).unwrap().starts_with("<svg "));
    // The magic of pcapng's section header.
    assert_eq!(std::fs::read(file("a.pcapng")).unwrap()[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    let again = run(talkie(&show).args(["--json", "-"]));
    assert_eq!(again.stdout, said.stdout, "the same seed, the same story");
}

#[test]
fn a_pipe_gets_plain_text_and_a_plain_locale_ascii() {
    let show = ["lab", "show", "--left", "full-cone", "--right", "symmetric"];
    let said = run(talkie(&show).env("LC_ALL", "C.UTF-8"));
    assert!(said.stdout.contains('│') && !said.stdout.contains('\x1b'));
    let said = run(talkie(&show).env("LC_ALL", "C"));
    assert!(said.stdout.is_ascii(), "{}", said.stdout);
    let said =
        run(talkie(&["lab", "matrix", "--types", "symmetric", "--color", "always"])
            .env("LC_ALL", "C"));
    assert!(said.stdout.contains("\x1b[30;43m"), "{}", said.stdout);
}

#[test]
fn a_dash_is_standard_output_and_has_it_alone() {
    let show = ["lab", "show", "--left", "full-cone", "--right", "full-cone"];
    let matrix = ["lab", "matrix", "--types", "symmetric"];
    for (command, flag, begins, ends) in [
        (&show[..], "--svg", "<svg ", "</svg>\n"),
        (&show, "--json", "{\n", "}\n"),
        (&matrix, "--svg", "<svg ", "</svg>\n"),
        (&matrix, "--json", "{\n", "}\n"),
    ] {
        let said = run(talkie(command).args([flag, "-"]));
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{command:?} {flag}");
        assert!(said.stdout.starts_with(begins), "{command:?} {flag}: {}", said.stdout);
        assert!(said.stdout.ends_with(ends), "{command:?} {flag}");
    }
    let packets = talkie(&show).args(["--pcap", "-"]).output().expect("the binary starts");
    // The magic of pcapng's section header, and a block's length at the end.
    assert_eq!(packets.stdout[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    let (rest, length) = packets.stdout.split_last_chunk::<4>().expect("a block");
    let length = u32::from_le_bytes(*length) as usize;
    assert_eq!(rest[rest.len() + 8 - length..][..4], length.to_le_bytes()[..4]);
    // Without a file, JSON is printed.
    let said = run(talkie(&show).arg("--json"));
    assert!(said.stdout.starts_with("{\n"), "{}", said.stdout);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("matrix.json");
    let said = run(talkie(&matrix).arg("--json").arg(&file));
    assert!(!said.stdout.starts_with('{') && said.stdout.contains("symmetric"));
    assert!(std::fs::read_to_string(file).unwrap().starts_with("{\n"));
}

#[test]
fn the_types_are_told_to_programs() {
    let types = |args: &[&str]| {
        let said = run(talkie(&["lab", "list", "--json"]).args(args));
        serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap()
    };
    let names = run(&mut talkie(&["lab", "list", "--names"]));
    let all = types(&[]);
    let told = all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
    assert!(told.eq(names.stdout.lines()));
    assert_eq!(types(&["cgnat"])[0]["pooling"], "paired");
}

#[test]
#[cfg(target_os = "linux")]
fn what_could_not_be_printed_is_no_success() {
    for command in [&["lab", "flow", "--rate", "1mbit", "--time", "1s"][..], &["lab", "list"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let said = talkie(command).stdout(full).output().unwrap();
        assert_eq!(said.status.code(), Some(1), "{command:?}");
        let words = String::from_utf8(said.stderr).unwrap();
        assert!(words.contains("cannot write to standard output: "), "{words}");
    }
}

#[test]
fn a_flow_is_drawn_and_written_for_programs() {
    let flow = ["lab", "flow", "--rate", "5mbit", "--loss", "1%", "--time", "2s"];
    let said = run(talkie(&flow).env("LC_ALL", "C"));
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    assert!(said.stdout.is_ascii(), "{}", said.stdout);
    for words in ["Window", "5 Mbit/s", "Round trip", "Queue", "adaptive", "1% loss"] {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
    assert!(said.stdout.lines().all(|line| line.len() <= 80), "{}", said.stdout);
    let two = ["--controller", "new-reno,cubic", "--stagger", "1s", "--json"];
    let json = || run(talkie(&flow).args(two)).stdout;
    let value: serde_json::Value = serde_json::from_str(&json()).unwrap();
    assert_eq!(value["flows"][0]["controller"], "newreno");
    assert_eq!(value["counted_from_seconds"], 1.0);
    assert_eq!(json(), json(), "the same seed, the same flows");
    let said = run(talkie(&flow).args(["--svg", "-"]));
    assert!(said.stdout.starts_with("<svg ") && said.stdout.ends_with("</svg>\n"));
}

#[test]
fn a_queue_that_marks_and_losses_in_a_row_are_played() {
    let flow = ["lab", "flow", "--rate", "5mbit", "--time", "3s", "--queue", "codel-ecn", "--json"];
    let json = |more: &[&str]| -> serde_json::Value {
        serde_json::from_str(&run(talkie(&flow).args(more)).stdout).unwrap()
    };
    let cubic = json(&["--controller", "cubic", "--controller", "newreno", "--buffer", "200ms"]);
    assert!(cubic["queue"]["marked_packets"].as_u64().unwrap() > 0, "{}", cubic["queue"]);
    assert_eq!(cubic["flows"].as_array().unwrap().len(), 2);
    let lossy = json(&["--loss", "4%", "--burst", "6"]);
    assert_eq!((&lossy["burst_packets"], &lossy["loss"]), (&6.0.into(), &0.04.into()));
    assert!(lossy["queue"]["lost_packets"].as_u64().unwrap() > 0, "{}", lossy["queue"]);
}

#[test]
fn what_cannot_be_written_is_told() {
    let file = std::env::temp_dir().join("no-such-folder-of-talkie/flow.svg");
    let flow = ["lab", "flow", "--rate", "1mbit", "--time", "1s", "--svg"];
    let said = run(talkie(&flow).arg(&file));
    assert_eq!(said.code, Some(1));
    assert!(
        said.stderr.contains("cannot write") && said.stderr.contains("flow.svg"),
        "{}",
        said.stderr
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_what_takes_long() {
    is_interrupted(&["lab", "matrix", "--seeds", "10000"]);
    is_interrupted(&["lab", "flow", "--rate", "1gbit", "--time", "60min"]);
}

#[cfg(unix)]
fn is_interrupted(command: &[&str]) {
    let mut child = talkie(command)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // Until it listens for signals, one ends it without a code.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(sent.expect("kill exists").success());
    assert_eq!(child.wait().expect("our child").code(), Some(130), "{command:?}");
}
