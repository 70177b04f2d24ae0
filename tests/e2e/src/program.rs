use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// How long anything may take on a busy machine before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `talkie`. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    printed: Arc<Mutex<String>>,
    /// They end with the streams that they read.
    readers: Vec<JoinHandle<()>>,
    /// Gone with the program.
    _data: TempDir,
}

/// What can be sent to a running program.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// Please stop.
    Term,
    /// Ctrl-C.
    Int,
}

impl Program {
    /// Starts `talkie serve` with a data folder of its own.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn serve(flags: &[String]) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let mut command = Command::new(binary()?);
        command.arg("serve").arg("--data-dir").arg(data.path()).args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("start talkie")?;
        let printed = Arc::new(Mutex::new(String::new()));
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        let read = |stream| {
            let printed = Arc::clone(&printed);
            thread::spawn(move || collect(stream, &printed))
        };
        let readers = streams.into_iter().flatten().map(read).collect();
        Ok(Self { child, printed, readers, _data: data })
    }

    /// All that it printed so far, on both streams.
    #[must_use]
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `path` on the loopback port is answered with 200, and returns the answer's body.
    ///
    /// # Errors
    /// If the program ends before, or takes too long.
    pub fn wait_for(&mut self, port: u16, path: &str) -> Result<String> {
        self.until(&format!("{path} answers"), || {
            get(port, path).ok().filter(|(status, _)| *status == 200).map(|(_, body)| body)
        })
    }

    /// Waits until the program has printed `text`.
    ///
    /// # Errors
    /// If the program ends before, or takes too long.
    pub fn wait_for_print(&mut self, text: &str) -> Result<()> {
        let printed = Arc::clone(&self.printed);
        self.until(&format!("`{text}` is printed"), || {
            let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
            printed.contains(text).then_some(())
        })
    }

    /// Waits until the program ends by itself, and all that it printed is here.
    ///
    /// # Errors
    /// If it takes too long.
    pub fn wait_for_end(&mut self) -> Result<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                for reader in self.readers.drain(..) {
                    // It panics at nothing; what it read is there in any case.
                    let _ = reader.join();
                }
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("the program goes on; it printed:\n{}", self.printed());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// If the system doesn't tell.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// If it can't be sent.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let name = match signal {
            Signal::Term => "-TERM",
            Signal::Int => "-INT",
        };
        let status = Command::new("kill").arg(name).arg(self.child.id().to_string()).status()?;
        if !status.success() {
            bail!("kill ended with {status}");
        }
        Ok(())
    }

    fn until<T>(&mut self, what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(answer) = ask() {
                return Ok(answer);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended ({status}) before {what}:\n{}", self.printed());
            }
            if Instant::now() > deadline {
                bail!("waited in vain until {what}; the program printed:\n{}", self.printed());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One HTTP request to a loopback port, by hand so that nothing is taken for granted.
///
/// # Errors
/// If there is no complete answer in time.
pub(crate) fn get(port: u16, path: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("no end of the head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.context("no status")?, body.to_owned()))
}

fn collect(stream: impl Read, printed: &Mutex<String>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        printed.push_str(&line);
        printed.push('\n');
    }
}

/// The program as `cargo build` leaves it: two folders above the test that runs.
///
/// # Errors
/// If it has not been built.
pub fn binary() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.ancestors().nth(2).context("the test lies in target/PROFILE/deps")?;
    let binary = profile.join("talkie");
    if !binary.is_file() {
        bail!("there is no {}: run `cargo build --package talkie-cli` first", binary.display());
    }
    Ok(binary)
}
