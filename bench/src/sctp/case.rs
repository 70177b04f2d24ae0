//! What is carried, and by what: cases that can be told to another process in words.

use std::fmt;

use anyhow::{Context as _, Result, bail};

/// Which implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stack {
    Talkie,
    SctpProto,
    Dcsctp,
}

impl Stack {
    pub(super) const ALL: [Self; 3] = [Self::Talkie, Self::SctpProto, Self::Dcsctp];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Talkie => "talkie",
            Self::SctpProto => "sctp-proto",
            Self::Dcsctp => "dcsctp",
        }
    }

    pub(super) fn named(name: &str) -> Result<Self> {
        let stack = Self::ALL.into_iter().find(|stack| stack.name() == name);
        stack.with_context(|| format!("no stack is called {name}"))
    }

    /// Whether it can do what a setting asks for.
    pub(super) fn can(self, setting: &Setting) -> bool {
        let plain =
            Setting { window: setting.window, waiting: setting.waiting, ..Setting::default() };
        self != Self::SctpProto || *setting == plain
    }
}

/// How both ends are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) zero_checksum: bool,
    pub(super) interleaving: bool,
    /// Bytes of a packet, if not what the stack takes by itself.
    pub(super) packet: Option<usize>,
    /// Bytes that may be in flight, and that the receiver has room for.
    pub(super) window: usize,
    /// Bytes of messages that may be sent and not received.
    pub(super) waiting: usize,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            zero_checksum: false,
            interleaving: false,
            packet: None,
            window: 1 << 20,
            waiting: 1 << 20,
        }
    }
}

/// What is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Load {
    /// Bytes of a message.
    pub(super) message: usize,
    pub(super) streams: u16,
    pub(super) unordered: bool,
    /// Given up instead of being sent a second time.
    pub(super) unreliable: bool,
}

impl Load {
    pub(super) fn of(message: usize) -> Self {
        Self { message, streams: 1, unordered: false, unreliable: false }
    }

    /// The stream of the message of that number.
    pub(super) fn stream(&self, number: u64) -> u16 {
        u16::try_from(number % u64::from(self.streams)).unwrap_or(0)
    }
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) stack: Stack,
    pub(super) setting: Setting,
    pub(super) load: Load,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stack, setting, load } = self;
        write!(
            f,
            "stack={} zero={} interleaving={} packet={} window={} waiting={} message={} streams={} \
             unordered={} unreliable={}",
            stack.name(),
            setting.zero_checksum,
            setting.interleaving,
            setting.packet.unwrap_or(0),
            setting.window,
            setting.waiting,
            load.message,
            load.streams,
            load.unordered,
            load.unreliable,
        )
    }
}

impl Case {
    /// How many messages have so many bytes; at least one.
    pub(super) fn messages(&self, bytes: usize) -> u64 {
        (bytes / self.load.message).max(1) as u64
    }

    /// The reverse of writing it.
    pub(super) fn read<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut case =
            Self { stack: Stack::Talkie, setting: Setting::default(), load: Load::of(1024) };
        let Self { stack, setting, load } = &mut case;
        for word in words {
            let (key, value) = word.split_once('=').with_context(|| format!("what is {word}?"))?;
            match key {
                "stack" => *stack = Stack::named(value)?,
                "zero" => setting.zero_checksum = value.parse()?,
                "interleaving" => setting.interleaving = value.parse()?,
                "packet" => setting.packet = Some(value.parse()?).filter(|packet| *packet > 0),
                "window" => setting.window = value.parse()?,
                "waiting" => setting.waiting = value.parse()?,
                "message" => load.message = value.parse()?,
                "streams" => load.streams = value.parse()?,
                "unordered" => load.unordered = value.parse()?,
                "unreliable" => load.unreliable = value.parse()?,
                _ => bail!("what is {word}?"),
            }
        }
        Ok(case)
    }
}
