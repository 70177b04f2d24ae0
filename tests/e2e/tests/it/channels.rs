//! The example of `talkie-proto`: a file goes through a data channel between two processes.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use talkie_e2e::{Ports, binary};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// No multiple of what is read at once, nor of what a packet takes.
const LENGTH: usize = 20_000_003;

/// One side. It is killed if the test ends before it.
struct Netcat(Child);

impl Netcat {
    fn start(local: u16, remote: u16) -> Self {
        let program = binary().unwrap().with_file_name("examples").join("channels");
        let how = "cargo build --package talkie-proto --example channels";
        assert!(program.exists(), "there is no {}: run `{how}` first", program.display());
        let mut program = Command::new(program);
        program.args([format!("127.0.0.1:{local}"), format!("127.0.0.1:{remote}")]);
        program.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(program.spawn().unwrap())
    }
}

impl Drop for Netcat {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bytes in which every place is told from its neighbours.
fn pattern() -> Vec<u8> {
    (0..LENGTH as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn a_file_goes_through_a_data_channel_between_two_processes() {
    let ports = Ports::pick().unwrap();
    // Either may be there first: the handshake is repeated.
    let mut receiver = Netcat::start(ports.http, ports.https);
    let mut sender = Netcat::start(ports.https, ports.http);
    let mut input = sender.0.stdin.take().unwrap();
    let writer = thread::spawn(move || input.write_all(&pattern()));
    // The receiver's input stays open: it ends because the sender's has.
    let held = receiver.0.stdin.take();
    let mut output = receiver.0.stdout.take().unwrap();
    let (whole, came) = mpsc::channel();
    thread::spawn(move || {
        let mut received = Vec::new();
        whole.send(output.read_to_end(&mut received).map(|_| received))
    });
    let received = came.recv_timeout(PATIENCE).expect("the end of the file comes").unwrap();
    writer.join().unwrap().unwrap();
    assert!(received == pattern(), "{} of {LENGTH} bytes, or others", received.len());
    assert!(receiver.0.wait().unwrap().success() && sender.0.wait().unwrap().success());
    drop(held);
}
