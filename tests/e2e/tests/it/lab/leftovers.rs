//! After `down` nothing is left, however the lab ended.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{Lab, all};

#[test]
fn down_ends_whatever_runs_in_the_lab_and_leaves_nothing() {
    for kind in ["tun", "kernel"] {
        let lab = Lab::up(&["--kind", kind]);
        assert!(!lab.leftovers().is_empty());
        // It does not end when it is asked to.
        let stubborn = ["left", "--", "sh", "-c", "trap '' TERM; while :; do sleep 1; done"];
        let mut stubborn = lab.talkie("exec", &stubborn).spawn().unwrap();
        thread::sleep(Duration::from_millis(200));
        let down = lab.talkie("down", &[]).output().unwrap();
        assert!(down.status.success(), "{}", all(&down));
        assert_eq!(lab.leftovers(), Vec::<String>::new(), "{kind}");
        assert!(!stubborn.wait().unwrap().success());

        let again = lab.talkie("down", &[]).output().unwrap();
        assert!(again.status.success() && all(&again).contains("nothing"), "{}", all(&again));
    }
}

#[test]
fn down_cleans_up_after_a_box_that_was_killed() {
    let lab = Lab::up(&[]);
    let status = all(&lab.talkie("status", &[]).output().unwrap());
    let process = status.split("process ").nth(1).unwrap();
    let process: String = process.chars().take_while(char::is_ascii_digit).collect();
    assert!(Command::new("kill").args(["-9", &process]).output().unwrap().status.success());
    thread::sleep(Duration::from_millis(100));
    let status = lab.talkie("status", &[]).output().unwrap();
    assert!(all(&status).contains("its process has ended: `talkie lab down"), "{}", all(&status));
    assert!(lab.talkie("down", &[]).output().unwrap().status.success());
    assert_eq!(lab.leftovers(), Vec::<String>::new());
}

#[test]
fn down_cleans_up_after_an_up_that_was_killed_in_the_middle() {
    let mut cut_short = 0;
    for after in [10, 40, 70, 100, 150, 200] {
        let lab = Lab::planned();
        let mut up = lab.talkie("up", &[]).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(after));
        // It may have been faster.
        cut_short += usize::from(up.try_wait().unwrap().is_none());
        up.kill().unwrap();
        up.wait().unwrap();
        // The step that was under way when it was killed.
        thread::sleep(Duration::from_millis(300));
        let down = lab.talkie("down", &[]).output().unwrap();
        assert!(down.status.success(), "after {after} ms: {}", all(&down));
        assert_eq!(lab.leftovers(), Vec::<String>::new(), "after {after} ms");
    }
    assert!(cut_short > 0);
}

#[test]
fn an_interrupted_up_takes_down_what_it_has_built() {
    let mut interrupted = 0;
    for after in [20, 50, 80, 120] {
        let lab = Lab::planned();
        let up =
            lab.talkie("up", &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_millis(after));
        let _ = Command::new("kill").args(["-INT", &up.id().to_string()]).status();
        let output = up.wait_with_output().unwrap();
        match output.status.code() {
            Some(130) => {
                interrupted += 1;
                assert!(all(&output).contains("interrupted"), "{}", all(&output));
                assert_eq!(lab.leftovers(), Vec::<String>::new(), "after {after} ms");
            }
            // It was faster, or had not begun to listen.
            code => assert!(code == Some(0) || code.is_none(), "{}", all(&output)),
        }
    }
    assert!(interrupted > 0);
}

#[test]
fn labs_stand_side_by_side() {
    let (one, other) = (Lab::up(&["--left", "full-cone"]), Lab::up(&["--left", "symmetric"]));
    assert!(one.talkie("down", &[]).output().unwrap().status.success());
    assert_eq!(one.leftovers(), Vec::<String>::new());
    assert!(other.exec("left", &["true"]).status.success());
    assert!(all(&other.talkie("status", &[]).output().unwrap()).contains("symmetric"));
}
