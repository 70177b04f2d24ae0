//! `talkie lab list`, `matrix` and `show`.

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
