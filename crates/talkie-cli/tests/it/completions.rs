//! `talkie completions`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::program::{run, talkie};

#[test]
fn each_shell_gets_a_script_that_knows_the_flags() {
    for (shell, mark) in [
        ("bash", "complete -F _talkie"),
        ("zsh", "#compdef talkie"),
        ("fish", "complete -c talkie"),
    ] {
        let said = run(&mut talkie(&["completions", shell]));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        assert!(said.stdout.contains(mark), "{shell}: {mark}");
        assert!(said.stdout.contains("relay-ports"), "{shell}");
    }
    assert_eq!(run(&mut talkie(&["completions", "tcsh"])).code, Some(2));
}

#[test]
fn bash_accepts_its_script() {
    let script = run(&mut talkie(&["completions", "bash"])).stdout;
    let mut bash =
        Command::new("bash").args(["-n"]).stdin(Stdio::piped()).spawn().expect("bash is installed");
    bash.stdin.take().expect("piped").write_all(script.as_bytes()).expect("bash reads");
    assert!(bash.wait().expect("bash ends").success());
}
