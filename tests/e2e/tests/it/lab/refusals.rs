//! What cannot be done is said in a sentence, with what to do about it.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::{Lab, all};

/// Nobody on this machine.
const NOBODY: u32 = 65_534;

#[track_caller]
fn refused(lab: &Lab, command: &str, words: &[&str], code: i32, says: &str) {
    let output = lab.talkie(command, words).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", all(&output));
    assert!(all(&output).contains(says), "{}", all(&output));
    assert_eq!(lab.leftovers(), Vec::<String>::new());
}

#[test]
fn a_plan_that_cannot_be_is_refused() {
    let lab = Lab::planned();
    refused(&lab, "up", &["--left", "symetric"], 2, "similar value exists: 'symmetric'");
    refused(&lab, "up", &["--kind", "kernel", "--left", "full-cone"], 2, "cannot be full-cone");
    refused(&lab, "up", &["--kind", "kernel", "--delay", "20ms"], 2, "--kind tun");
    refused(&lab, "up", &["--delay", "20"], 2, "needs a unit");
    refused(&lab, "up", &["--jitter", "5ms"], 2, "must not be more than the delay");
}

#[test]
fn a_lab_that_is_not_up_is_not_entered() {
    let lab = Lab::planned();
    refused(&lab, "exec", &["left", "--", "true"], 1, "talkie lab up --name");
    refused(&lab, "status", &[], 1, "no lab named");
    refused(&lab, "exec", &["middle", "--", "true"], 2, "possible values");
}

#[test]
fn a_name_that_is_up_is_not_taken_twice() {
    let lab = Lab::up(&[]);
    let again = lab.talkie("up", &[]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(all(&again).contains("is up already"), "{}", all(&again));
    assert!(lab.exec("left", &["true"]).status.success(), "the first one goes on");
}

#[test]
fn who_is_not_root_is_told_what_to_do() {
    let lab = Lab::planned();
    let output = lab.talkie("up", &[]).uid(NOBODY).gid(NOBODY).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(all(&output).contains("run it with sudo"), "{}", all(&output));
    assert_eq!(lab.leftovers(), Vec::<String>::new());
}

#[test]
fn who_is_not_root_sees_which_labs_are_up_but_not_their_tables() {
    for kind in ["tun", "kernel"] {
        let lab = Lab::up(&["--kind", kind]);
        let output = lab.talkie("status", &[]).uid(NOBODY).gid(NOBODY).output().unwrap();
        let said = all(&output);
        assert!(said.contains("port-restricted | port-restricted\n"), "{kind}: {said}");
        assert!(said.contains("sudo talkie lab status"), "{kind}: {said}");
    }
}

#[test]
fn without_ip_it_is_told_what_to_install() {
    let lab = Lab::planned();
    let output = lab.talkie("up", &[]).env("PATH", "/nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(all(&output).contains("apt-get install iproute2"), "{}", all(&output));
    assert_eq!(lab.leftovers(), Vec::<String>::new());
}

#[test]
fn root_without_its_capabilities_is_told_what_a_container_needs() {
    for missing in ["-net_admin", "-sys_admin"] {
        let lab = Lab::planned();
        let talkie = talkie_e2e::binary().unwrap();
        let mut up = Command::new("setpriv");
        up.args(["--bounding-set", missing, "--inh-caps", missing]).arg(talkie);
        let output = up.args(["lab", "up", "--name", &lab.name.to_string()]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{missing}");
        assert!(all(&output).contains("--privileged"), "{}", all(&output));
        assert_eq!(lab.leftovers(), Vec::<String>::new());
    }
}

#[test]
fn without_tun_devices_it_is_told_how_to_get_them() {
    let lab = Lab::planned();
    let talkie = talkie_e2e::binary().unwrap();
    let hide = "mount -t tmpfs none /dev/net && exec \"$@\"";
    let mut up = Command::new("unshare");
    up.args(["--mount", "sh", "-c", hide, "sh"]).arg(talkie);
    let output = up.args(["lab", "up", "--name", &lab.name.to_string()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(all(&output).contains("modprobe tun"), "{}", all(&output));
    assert_eq!(lab.leftovers(), Vec::<String>::new());
}
