//! Building a lab.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::addresses::{Addresses, Host, SERVER, SERVER_SECOND, SERVER_V6};
use super::carrier::{PLAN, READY};
use super::command::{CommandError, ip, ip_with, nft};
use super::down::down;
use super::enter::{EnterError, inside};
use super::kernel;
use super::namespace::Name;
use super::plan::{Kind, Plan, PlanError, Type};
use super::topology::{self, SIDES};

/// Why a lab cannot be built, or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpError {
    /// Not allowed to this user.
    #[error("a lab takes root, for network namespaces and TUN devices: run it with sudo")]
    NotRoot,
    /// Root is not all that it could be, as in a container.
    #[error(
        "{0}; a lab takes root with the capabilities CAP_SYS_ADMIN and CAP_NET_ADMIN, which a container \
         has if it is started with `--privileged`"
    )]
    NotPermitted(String),
    /// The name is taken.
    #[error(
        "lab {0} is up already, or a crash has left parts of it: `talkie lab down --name {0}` removes it, \
         `--name OTHER` starts one beside it"
    )]
    IsUp(Name),
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A program failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A namespace cannot be entered.
    #[error(transparent)]
    Enter(#[from] EnterError),
    /// A kernel setting cannot be made.
    #[error("cannot set /proc/sys/net/{setting} in {host}: {error}")]
    Setting {
        /// The file below /proc/sys/net.
        setting: &'static str,
        /// The host.
        host: Host,
        /// What the system says.
        error: io::Error,
    },
    /// The lab's files.
    #[error("cannot use the folder {}: {error}", folder.display())]
    Files {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A box did not start.
    #[error("{nat} did not start: {said}")]
    Box {
        /// The NAT.
        nat: Host,
        /// What it said.
        said: String,
    },
    /// The system refused.
    #[error("cannot start: {0}")]
    System(io::Error),
    /// It was asked to stop.
    #[error("interrupted; nothing is left of lab {0}")]
    Interrupted(Name),
}

/// Builds a lab. `box_command` starts the program that calls [`carry`](super::carrier::carry) for the
/// lab and the NAT that are its last two arguments. If anything goes wrong, or `interrupted` says so
/// between two steps, nothing is left behind.
///
/// # Errors
/// If it can't be built.
pub fn up(
    name: &Name,
    plan: &Plan,
    box_command: impl Fn() -> Command,
    interrupted: impl Fn() -> bool,
) -> Result<(), UpError> {
    plan.check()?;
    if !rustix::process::geteuid().is_root() {
        return Err(UpError::NotRoot);
    }
    if name.exists() {
        return Err(UpError::IsUp(name.clone()));
    }
    create_folder(name)?;
    let built = build(name, plan, box_command, interrupted);
    if built.is_err() {
        // What went wrong first is what is told.
        let _ = down(name);
    }
    built.map_err(
        |error| if error.is_refusal() { UpError::NotPermitted(error.to_string()) } else { error },
    )
}

impl UpError {
    /// Whether the system did not allow it.
    fn is_refusal(&self) -> bool {
        match self {
            Self::Setting { error, .. } | Self::Files { error, .. } => {
                error.kind() == io::ErrorKind::PermissionDenied
            }
            Self::Enter(EnterError::NotPermitted) => true,
            // As `ip` and `nft` say it.
            Self::Command(CommandError::Failed { said, .. }) => {
                said.contains("Operation not permitted")
            }
            _ => false,
        }
    }
}

/// Whoever makes the folder has the name.
fn create_folder(name: &Name) -> Result<(), UpError> {
    let folder = name.folder();
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => UpError::IsUp(name.clone()),
        _ => UpError::Files { folder: folder.clone(), error },
    };
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(refused)?;
    }
    fs::create_dir(&folder).map_err(refused)
}

fn build(
    name: &Name,
    plan: &Plan,
    box_command: impl Fn() -> Command,
    interrupted: impl Fn() -> bool,
) -> Result<(), UpError> {
    let go_on = || if interrupted() { Err(UpError::Interrupted(name.clone())) } else { Ok(()) };
    write_files(name, plan).map_err(|error| UpError::Files { folder: name.folder(), error })?;
    ip(&topology::namespaces(name))?;
    go_on()?;
    for host in Host::all() {
        set(name, plan, host)?;
    }
    ip(&topology::cables(name))?;
    go_on()?;
    for host in Host::all() {
        ip_with(&["-netns", &name.namespace(host)], &topology::within(plan, host))?;
        go_on()?;
    }
    for (_, nat) in SIDES {
        match plan.kind {
            Kind::Tun => start_box(name, nat, box_command())?,
            Kind::Kernel => {
                let kind = if nat == Host::LeftNat { plan.left } else { plan.right };
                let rules = kernel::rules(kind).ok_or(PlanError::Kernel(kind))?;
                nft(&name.namespace(nat), &rules)?;
            }
        }
        go_on()?;
    }
    Ok(())
}

fn write_files(name: &Name, plan: &Plan) -> io::Result<()> {
    fs::write(name.file(PLAN), serde_json::to_vec_pretty(plan)?)?;
    // The library asks a name server on this host where none is named; there is none, which is known
    // at once.
    fs::write(name.file("resolv.conf"), "# no name server can be reached from a lab\n")?;
    let mut hosts = String::from("127.0.0.1 localhost\n::1 localhost\n");
    let _ = writeln!(hosts, "{SERVER} server\n{SERVER_SECOND} server-second");
    for (host, nat) in SIDES {
        let at = Addresses::of(plan, nat);
        let _ = writeln!(hosts, "{} {host}\n{} {nat}", at.host, at.gateway);
        if plan.ipv6 {
            let _ = writeln!(hosts, "{} {host}\n{} {nat}", at.v6.host, at.v6.gateway);
        }
    }
    if plan.ipv6 {
        let _ = writeln!(hosts, "{SERVER_V6} server");
    }
    fs::write(name.file("hosts"), hosts)
}

fn set(name: &Name, plan: &Plan, host: Host) -> Result<(), UpError> {
    let settings = topology::settings(plan, host);
    inside(name, host, || {
        for (setting, value) in settings {
            match fs::write(format!("/proc/sys/net/{setting}"), value) {
                // A kernel without IPv6 need not be told to leave it.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !plan.ipv6 => {}
                outcome => outcome.map_err(|error| UpError::Setting { setting, host, error })?,
            }
        }
        Ok(())
    })?
}

/// Starts a box and waits until it works.
fn start_box(name: &Name, nat: Host, mut command: Command) -> Result<(), UpError> {
    let broken = |error: io::Error| UpError::Box { nat, said: error.to_string() };
    let log_file = name.file(&format!("{nat}.log"));
    let log = fs::File::create(&log_file).map_err(broken)?;
    let mut child = command
        .arg(name.to_string())
        .arg(nat.name())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(broken)?;
    let mut said = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut said).map_err(broken)?;
    }
    if said.trim_end() == READY {
        return Ok(());
    }
    // It ended without a word, or hangs without one.
    let _ = child.kill();
    let _ = child.wait();
    let said = fs::read_to_string(&log_file).unwrap_or_default();
    let said = said.lines().last().unwrap_or("it gave no reason").to_owned();
    Err(UpError::Box { nat, said: said.trim_start_matches("error: ").to_owned() })
}

impl Plan {
    /// The type of a NAT, or of the one before a host.
    #[must_use]
    pub fn type_of(&self, host: Host) -> Type {
        if matches!(host, Host::Right | Host::RightNat) { self.right } else { self.left }
    }
}
