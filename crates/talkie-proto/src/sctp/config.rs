//! What an association is told before it begins, and with each message.

use std::time::Duration;

use bytes::Bytes;

use super::congestion;
use super::wire::init;

/// How an association behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our SCTP port (RFC 8841 §5: 5000 in WebRTC).
    pub port: u16,
    /// The peer's, as it has told (`a=sctp-port`). Packets of other ports are none.
    pub peer_port: u16,
    /// Bytes of an SCTP packet at most. The default fits into IPv6's least MTU: 1280 − 40 (IPv6) − 8 (UDP)
    /// − 4 (ChannelData) − 37 (DTLS 1.2 with AES-GCM) = 1191, and a multiple of 4.
    pub packet: usize,
    /// How far that may grow where datagrams are [`unfragmented`](Self::unfragmented) and the path takes more
    /// (RFC 8899 §5.1.2: MAX_PLPMTU). Beyond jumbo frames there is little to be won: 9000 − 40 − 8 − 4 − 37
    /// = 8911, and a multiple of 4.
    pub packet_most: usize,
    /// Whether datagrams are dropped, not fragmented, where they are too long: whoever sends them sets DF, and
    /// has the system keep no length of its own (IP_PMTUDISC_PROBE). Only then is it looked for longer packets,
    /// as otherwise probes prove nothing. Not assumed; [`Association::handle_path_change`] tells later.
    ///
    /// [`Association::handle_path_change`]: super::Association::handle_path_change
    pub unfragmented: bool,
    /// Bytes that the peer may send at first without any of it being read.
    pub receive_initial: usize,
    /// How far that grows with the speed of reading, or with what is held for messages that are not complete
    /// or wait for an earlier one. Two of the longest messages at least. What messages take beside their bytes
    /// (104 each) is taken off what the peer is told, but may go beyond that by as much again (10 MB at most), as
    /// the peer has sent many before it hears of it.
    pub receive_most: usize,
    /// The longest message that is received; a longer one ends the association. It is held whole, so that with
    /// `usize::MAX` only the peer bounds the memory it takes.
    pub message_most: usize,
    /// Bytes that may wait to be sent. So many messages may as would have them with 160 bytes each: that is what
    /// one takes beside its own, so that memory is bounded however short they are.
    pub send_buffer: usize,
    /// The most that may be in flight.
    pub window_most: u64,
    /// Streams in each direction, at first.
    pub streams: u16,
    /// How many there may come to be (RFC 6525 §4.5).
    pub streams_most: u16,
    /// Whether messages may be interleaved (RFC 8260), if the peer can.
    pub interleaving: bool,
    /// Whether DTLS's integrity replaces the checksum (RFC 9653), if the peer agrees.
    pub zero_checksum: bool,
    /// Whether packets may be marked by the path (RFC 4960 Appendix A), if the peer agrees. Whoever carries
    /// them has to mark what leaves as capable of it, and to tell of marks.
    pub ecn: bool,
    /// The congestion controller.
    pub congestion: congestion::Algorithm,
    /// The retransmission timeout before anything has been measured. RFC 9260 §16 has 1 s; ICE has found the
    /// path already, and a round trip of more than this is rare.
    pub timeout_initial: Duration,
    /// The shortest timeout: more than the 200 ms that a peer may wait with an acknowledgment.
    pub timeout_least: Duration,
    /// The longest. RFC 9260 §16 has 60 s; a path that comes back should be found sooner.
    pub timeout_most: Duration,
    /// Timeouts in a row before the peer is given up (RFC 9260 §16: Association.Max.Retrans).
    pub retransmissions: u32,
    /// The same for the handshake (RFC 9260 §16: Max.Init.Retransmits).
    pub handshake_retransmissions: u32,
    /// How long an end in order may take once we have nothing more to deliver. RFC 9260 §9.2: five times
    /// RTO.Max, which is 60 s there.
    pub shutdown_most: Duration,
    /// How long the path may be silent before it is asked (RFC 9260 §16: HB.interval).
    pub heartbeat: Duration,
    /// How long a cookie is good (RFC 9260 §16: Valid.Cookie.Life).
    pub cookie_life: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 5000,
            peer_port: 5000,
            packet: 1188,
            packet_most: 8908,
            unfragmented: false,
            receive_initial: 1 << 20,
            receive_most: 64 << 20,
            message_most: 256 << 10,
            send_buffer: 16 << 20,
            window_most: 64 << 20,
            streams: u16::MAX,
            streams_most: u16::MAX,
            interleaving: true,
            zero_checksum: true,
            ecn: false,
            congestion: congestion::Algorithm::default(),
            timeout_initial: Duration::from_millis(500),
            timeout_least: Duration::from_millis(300),
            timeout_most: Duration::from_secs(10),
            retransmissions: 10,
            handshake_retransmissions: 8,
            shutdown_most: Duration::from_secs(300),
            heartbeat: Duration::from_secs(30),
            cookie_life: Duration::from_secs(60),
        }
    }
}

/// Packets are never shorter: control chunks and a SACK worth its name have to fit in.
const PACKET_LEAST: usize = 512;

/// Nor longer than a DTLS record.
const PACKET_MOST: usize = 16 << 10;

/// No wait is shorter, so that time goes on.
const WAIT_LEAST: Duration = Duration::from_millis(1);

/// Nor longer, so that deadlines can be reckoned with.
const WAIT_MOST: Duration = Duration::from_secs(3600);

impl Config {
    /// The nearest that an association can work with.
    pub(super) fn bounded(mut self) -> Self {
        self.packet = self.packet.clamp(PACKET_LEAST, PACKET_MOST) & !3;
        self.packet_most = self.packet_most.clamp(self.packet, PACKET_MOST) & !3;
        self.streams = self.streams.max(1);
        let least = init::WINDOW_LEAST as usize;
        // A message has to fit in with another that waits to be read.
        self.receive_most = self.receive_most.max(self.message_most.saturating_mul(2)).max(least);
        self.receive_initial = self.receive_initial.clamp(least, self.receive_most);
        self.shutdown_most = self.shutdown_most.max(WAIT_LEAST);
        self.timeout_most = self.timeout_most.clamp(WAIT_LEAST, WAIT_MOST);
        self.timeout_least = self.timeout_least.clamp(WAIT_LEAST, self.timeout_most);
        self.timeout_initial = self.timeout_initial.clamp(self.timeout_least, self.timeout_most);
        self
    }
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The stream.
    pub stream: u16,
    /// What the sender calls the payload.
    pub ppid: u32,
    /// Whether it may have overtaken others.
    pub unordered: bool,
    /// SSN or MID.
    pub(crate) number: u32,
    /// Its bytes.
    pub payload: Bytes,
}

/// How a message is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Whether it may overtake others of its stream.
    pub unordered: bool,
    /// When to give it up.
    pub reliability: Reliability,
}

/// When a message is given up (RFC 3758, RFC 7496). Peers that do not know how to go on without it get
/// everything that has begun to leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliability {
    /// Never.
    #[default]
    Reliable,
    /// When this long has passed since it was queued. What leaves at once has one try however short it is.
    Lifetime(Duration),
    /// When it has been sent again this often.
    Retransmits(u16),
}
