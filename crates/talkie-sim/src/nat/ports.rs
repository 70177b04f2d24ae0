//! Which outside address and port a new mapping gets.
//!
//! No search is long, however many ports are taken. Where ports are not shared, the table knows which are
//! free. Where they are, each remote has ports of its own, and some are tried as Linux does it: 128 in a
//! row, then ever shorter rows elsewhere; who finds none then is out of luck.

use std::net::{IpAddr, SocketAddr};

use rand_chacha::ChaCha8Rng;
use rand_core::Rng as _;
use rustc_hash::FxHashMap;

use super::behavior::{Config, LOWEST_PORT, Pooling, Ports};
use super::forwards::Forwards;
use super::notes::Notes;
use super::protocol::Kind;
use super::table::Table;

/// How many ports an address has to give away.
pub(super) const PORTS: u32 = 0x1_0000 - LOWEST_PORT as u32;

/// Ports that are tried one by one before the table is asked which are free; the first row of
/// `nf_nat_core.c`, `get_unique_tuple`.
const FIRST_TRIES: u32 = 128;
/// The rows after it, each half as long as the one before.
const MORE_TRIES: [u32; 3] = [64, 32, 16];

/// By which protocol who inside is about to send to whom.
type Flow = (Kind, SocketAddr, SocketAddr);

/// Remembers what choices depend on.
#[derive(Debug)]
pub(super) struct Chooser {
    rng: ChaCha8Rng,
    /// The last port of each protocol and outside address, where they are given one after the other.
    last: FxHashMap<(Kind, IpAddr), u16>,
    /// The next address of the pool, where hosts do not keep theirs.
    turn: usize,
}

impl Chooser {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        Self { rng, last: FxHashMap::default(), turn: 0 }
    }

    /// An outside address and port for `inside`, which is about to send to `remote`.
    pub(super) fn choose(
        &mut self,
        config: &Config,
        table: &Table,
        (notes, forwards): (&Notes, &Forwards),
        flow: Flow,
    ) -> Option<SocketAddr> {
        let (kind, inside, remote) = flow;
        let Some(address) = self.address(config, inside.ip(), remote.ip()) else {
            // Nothing to translate to: a firewall.
            return Some(inside);
        };
        if !config.overloading && table.ports_in_use(kind, address) >= PORTS as usize {
            return None;
        }
        let scope = config.mapping_scope(remote);
        let is_free = |port: u16| {
            let outside = SocketAddr::new(address, port);
            table.by_outside(kind, outside, scope).is_none()
                && !notes.has(&(kind, outside, remote))
                && !forwards.has(kind, outside)
        };
        let fits = |port: u16| !config.parity || port % 2 == inside.port() % 2;
        let first = self.first(config, table, flow, address);
        let step = match config.ports {
            Ports::Sequential { step } => u32::from(step.max(1)),
            _ => 1,
        };
        // When the first one is taken, the one after the last that was given is likely to be free:
        // hosts that all want the same port do not make each other search. Ports a step apart come
        // first, then those in between.
        let after = match config.ports {
            Ports::PreservingOrRandom => self.any(),
            _ => self.last.get(&(kind, address)).copied().unwrap_or(first),
        };
        // Linux takes what the inside port was given last, so that after a clash remotes that are yet to
        // come see one port again.
        let given = match config.ports {
            Ports::PreservingOrRandom => table.given_last(kind, inside),
            _ => None,
        };
        let given = given.filter(|outside| outside.ip() == address).map(|outside| outside.port());
        let tried = given
            .into_iter()
            .chain([first])
            .chain((1..=FIRST_TRIES).map(|turn| offset_port(after, turn.wrapping_mul(step))))
            .find(|port| fits(*port) && is_free(*port));
        let port = match tried {
            Some(port) => port,
            None if config.overloading => {
                let rows = MORE_TRIES.map(|length| (self.any(), length)).into_iter();
                rows.flat_map(|(start, length)| (0..length).map(move |n| offset_port(start, n)))
                    .find(|port| fits(*port) && is_free(*port))?
            }
            None => {
                let parity = config.parity.then_some(inside.port() % 2);
                let free = table.free_ports(kind, address, after, parity);
                free.take(FIRST_TRIES as usize).find(|port| is_free(*port))?
            }
        };
        self.last.insert((kind, address), port);
        Some(SocketAddr::new(address, port))
    }

    /// An address of the remote's family, which is not the host's where IPv6 becomes IPv4.
    fn address(&mut self, config: &Config, inside: IpAddr, remote: IpAddr) -> Option<IpAddr> {
        let family = || config.outside.iter().filter(|it| it.is_ipv4() == remote.is_ipv4());
        let count = family().count();
        let at = match config.pooling {
            // RFC 4787 REQ-2: a host keeps its address, so that it is one endpoint to a remote.
            Pooling::Paired => number_of(inside),
            Pooling::Arbitrary => {
                self.turn = self.turn.wrapping_add(1);
                self.turn - 1
            }
        };
        family().nth(at.checked_rem(count)?).copied()
    }

    /// The port to try first.
    fn first(&mut self, config: &Config, table: &Table, flow: Flow, address: IpAddr) -> u16 {
        let (kind, inside, _) = flow;
        if config.contiguous
            && let Some(port) = beside(config, table, flow, address)
        {
            return port;
        }
        match config.ports {
            Ports::Preserving if inside.port() >= LOWEST_PORT => inside.port(),
            Ports::PreservingOrRandom => inside.port(),
            Ports::Sequential { step } => match self.last.get(&(kind, address)) {
                Some(last) => offset_port(*last, u32::from(step.max(1))),
                None => self.any(),
            },
            Ports::Preserving | Ports::Random => self.any(),
        }
    }

    fn any(&mut self) -> u16 {
        offset_port(LOWEST_PORT, self.rng.next_u32() % PORTS)
    }
}

/// RFC 4787 §4.2.3: the port beside the one that the inside port's neighbour has, for RTP and RTCP.
fn beside(
    config: &Config,
    table: &Table,
    (kind, inside, remote): Flow,
    address: IpAddr,
) -> Option<u16> {
    let below = SocketAddr::new(inside.ip(), inside.port().checked_sub(1)?);
    // RTP has the even port, RTCP the odd one above (RFC 3550 §11), and is sent to the one above.
    let remotes = [remote, SocketAddr::new(remote.ip(), remote.port().wrapping_sub(1))];
    let neighbour = remotes
        .into_iter()
        .find_map(|remote| table.by_inside((kind, below, config.mapping_scope(remote))))?;
    let outside = table.get(neighbour).outside;
    (outside.ip() == address).then_some(outside.port().checked_add(1)?)
}

/// The port that lies so many behind `port`, from the highest on to the lowest.
fn offset_port(port: u16, offset: u32) -> u16 {
    let at = u32::from(port.saturating_sub(LOWEST_PORT)) + offset % PORTS;
    LOWEST_PORT + u16::try_from(at % PORTS).unwrap_or_default()
}

/// Tells addresses apart evenly enough to share out a pool.
fn number_of(address: IpAddr) -> usize {
    match address {
        IpAddr::V4(address) => address.to_bits() as usize,
        IpAddr::V6(address) => (address.to_bits() >> 64) as usize ^ address.to_bits() as usize,
    }
}
