//! Running the binary, with an environment of its own and never without an end.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Long enough for a busy machine, short enough for a test that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command for the binary without the caller's own settings.
pub(crate) fn talkie(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_talkie"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TALKIE_") {
            command.env_remove(name);
        }
    }
    command.args(args).env_remove("STATE_DIRECTORY").stdin(Stdio::null());
    command
}

/// What a command that ends by itself has said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `command` to its end, which must come by itself.
pub(crate) fn run(command: &mut Command) -> Said {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let stdout = lines(child.stdout.take().expect("piped"));
    let stderr = lines(child.stderr.take().expect("piped"));
    let code = end(&mut child, PATIENCE).code();
    let text = |lines: Receiver<String>| lines.iter().map(|line| line + "\n").collect();
    Said { code, stdout: text(stdout), stderr: text(stderr) }
}

/// How `child` ends; it is killed if it does not within `within`.
fn end(child: &mut Child, within: Duration) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("our child") {
            return status;
        }
        if start.elapsed() > within {
            let _ = child.kill();
            panic!("still running after {within:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A `talkie serve` in the background, killed when the test is over.
pub(crate) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// The lines up to `ready`.
    pub(crate) announced: Vec<String>,
    _data: tempfile::TempDir,
}

/// `talkie serve` with every listener on a free port of loopback, and a folder for its data. That
/// is said in variables, so that flags can say something else.
pub(crate) fn serve(data: &Path) -> Command {
    let mut command = talkie(&["serve"]);
    for name in ["HTTP", "HTTPS", "TURN", "TURNS", "ADMIN"] {
        command.env(format!("TALKIE_{name}"), "127.0.0.1:0");
    }
    command.env("TALKIE_DATA_DIR", data);
    command
}

impl Running {
    /// Starts it on free ports with `more` flags and waits until it is ready.
    pub(crate) fn start(more: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let mut child = serve(data.path())
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = lines(child.stdout.take().expect("piped"));
        let stderr = lines(child.stderr.take().expect("piped"));
        let mut running = Self { child, stdout, stderr, announced: Vec::new(), _data: data };
        loop {
            match running.line() {
                Some(line) if line == "ready" => return running,
                Some(line) => running.announced.push(line),
                None => {
                    let errors: Vec<_> = running.stderr.iter().collect();
                    panic!("ended before it was ready: {errors:#?}");
                }
            }
        }
    }

    /// The next line of standard output; `None` at its end.
    pub(crate) fn line(&self) -> Option<String> {
        match self.stdout.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("no line for {PATIENCE:?}"),
        }
    }

    /// The announced value of `name`.
    pub(crate) fn value(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        let mut values = self.announced.iter().filter_map(|line| line.strip_prefix(&prefix));
        values.next().unwrap_or_else(|| panic!("no `{name}` in {:#?}", self.announced))
    }

    /// Sends the signal `name`, as `kill` calls it.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().expect("kill exists");
        assert!(status.success());
    }

    /// How it ends, which it must do within `within`.
    pub(crate) fn end(&mut self, within: Duration) -> ExitStatus {
        end(&mut self.child, within)
    }

    /// All that it wrote to standard error, once it has ended.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.stderr.iter().collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream.take(1 << 20)).lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
