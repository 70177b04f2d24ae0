//! What an agent tells of itself beside its candidates: who it is in checks, what proves it, and what it
//! can do.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand_core::CryptoRng;

use super::attribute::{Attribute, Flaw, ParseError, is_ice_char};

/// The tags of `ice-options` (RFC 8839 §5.6), in their order, each once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Options(Vec<String>);

impl Options {
    /// Candidates may come one by one (RFC 8838 §4).
    pub const TRICKLE: &str = "trickle";
    /// The agent follows RFC 8445, not RFC 5245: no aggressive nomination (RFC 8445 §10).
    pub const ICE2: &str = "ice2";
    /// The controlling side may nominate again (draft-thatcher-ice-renomination).
    pub const RENOMINATION: &str = "renomination";

    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These, and `tag`, which has to be made of letters, digits, `+` and `/`.
    #[must_use]
    pub fn with(mut self, tag: &str) -> Self {
        if !self.has(tag) {
            self.0.push(tag.to_owned());
        }
        self
    }

    /// Whether `tag` is among them.
    #[must_use]
    pub fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|known| known == tag)
    }

    /// Whether candidates may come one by one.
    #[must_use]
    pub fn trickle(&self) -> bool {
        self.has(Self::TRICKLE)
    }

    /// Whether the agent follows RFC 8445.
    #[must_use]
    pub fn ice2(&self) -> bool {
        self.has(Self::ICE2)
    }

    /// Whether the agent understands being nominated again.
    #[must_use]
    pub fn renomination(&self) -> bool {
        self.has(Self::RENOMINATION)
    }

    /// All tags.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|tag| &**tag)
    }

    /// Whether there is no tag.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Options {
    type Err = Flaw;

    fn from_str(text: &str) -> Result<Self, Flaw> {
        let mut options = Self::none();
        for tag in text.split(' ').filter(|tag| !tag.is_empty()) {
            // `google-ice` has been sent for years; a hyphen breaks nothing.
            if !tag.bytes().all(|b| is_ice_char(b) || matches!(b, b'-' | b'_')) {
                return Err(Flaw::Option);
            }
            options = options.with(tag);
        }
        if options.is_empty() { Err(Flaw::Missing("option")) } else { Ok(options) }
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tag) in self.tags().enumerate() {
            let before = if index == 0 { "" } else { " " };
            write!(f, "{before}{tag}")?;
        }
        Ok(())
    }
}

/// What an agent tells of itself beside its candidates.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters {
    /// Who it is in checks.
    pub username_fragment: String,
    /// What its checks are signed with.
    pub password: String,
    /// It is reachable and sends no checks (RFC 8445 §2.5).
    pub lite: bool,
    /// What it can do.
    pub options: Options,
    /// How far apart it wants checks to be, if it says so (RFC 8839 §5.5).
    pub pacing: Option<Duration>,
}

impl Parameters {
    /// How many random characters of our fragments: 48 bits, where RFC 8445 §5.3 wants 24 at least, so
    /// that ten thousand agents at one socket share none but once in five million starts.
    pub(super) const FRAGMENT: usize = 8;
    /// How many random characters of our passwords: 144 bits, where RFC 8445 §5.3 wants 128 at least.
    const PASSWORD: usize = 24;

    /// A full agent without options that is known by these.
    ///
    /// # Errors
    /// If one of them has another length or other characters than RFC 8839 §5.4 wants.
    pub fn new(username_fragment: &str, password: &str) -> Result<Self, ParseError> {
        self::username_fragment(username_fragment)
            .map_err(|flaw| ParseError::new(flaw, &format!("ice-ufrag:{username_fragment}")))?;
        self::password(password)
            .map_err(|flaw| ParseError::new(flaw, &format!("ice-pwd:{password}")))?;
        Ok(Self {
            username_fragment: username_fragment.to_owned(),
            password: password.to_owned(),
            lite: false,
            options: Options::none(),
            pacing: None,
        })
    }

    /// A full agent without options that is known by words never used before.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self {
            username_fragment: word(rng, Self::FRAGMENT),
            password: word(rng, Self::PASSWORD),
            lite: false,
            options: Options::none(),
            pacing: None,
        }
    }

    /// Reads the attributes among the lines of a session description, or of the one part of it that
    /// belongs to an agent; lines of other attributes are passed over. Of a repeated attribute the
    /// first counts, as a part's own lines stand before those it inherits when they are put together so.
    ///
    /// # Errors
    /// If fragment or password are missing, or one of the attributes cannot be read.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, ParseError> {
        let (mut fragment, mut password, mut options, mut pacing) = (None, None, None, None);
        let mut lite = false;
        for line in lines {
            let name = line.trim_end();
            let name = name.strip_prefix("a=").unwrap_or(name);
            if !name.starts_with("ice-") || !Attribute::is_one(line) {
                continue;
            }
            match line.parse()? {
                Attribute::UsernameFragment(text) => {
                    fragment.get_or_insert(text);
                }
                Attribute::Password(text) => {
                    password.get_or_insert(text);
                }
                Attribute::Options(tags) => {
                    options.get_or_insert(tags);
                }
                Attribute::Pacing(span) => {
                    pacing.get_or_insert(span);
                }
                Attribute::Lite => lite = true,
                _ => {}
            }
        }
        let missing = |what| ParseError::new(Flaw::Missing(what), "");
        Ok(Self {
            username_fragment: fragment.ok_or_else(|| missing("user name fragment"))?,
            password: password.ok_or_else(|| missing("password"))?,
            lite,
            options: options.unwrap_or_default(),
            pacing,
        })
    }

    /// These as attributes, those that there are.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> {
        let options = Some(&self.options).filter(|options| !options.is_empty());
        [
            Some(Attribute::UsernameFragment(self.username_fragment.clone())),
            Some(Attribute::Password(self.password.clone())),
            options.cloned().map(Attribute::Options),
            self.lite.then_some(Attribute::Lite),
            self.pacing.map(Attribute::Pacing),
        ]
        .into_iter()
        .flatten()
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password is a secret.
        f.debug_struct("Parameters")
            .field("username_fragment", &self.username_fragment)
            .field("lite", &self.lite)
            .field("options", &self.options)
            .field("pacing", &self.pacing)
            .finish_non_exhaustive()
    }
}

fn word(rng: &mut impl CryptoRng, length: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..length).map(|_| char::from(LETTERS[rng.next_u32() as usize % 64])).collect()
}

/// RFC 8839 §5.4: 4 to 256. Longer ones than 32 exist only where they are sent to us.
pub(super) fn username_fragment(text: &str) -> Result<(), Flaw> {
    let is_right = (4..=256).contains(&text.len()) && text.bytes().all(is_credential);
    if is_right { Ok(()) } else { Err(Flaw::UsernameFragment) }
}

/// RFC 8839 §5.4: 22 to 256.
pub(super) fn password(text: &str) -> Result<(), Flaw> {
    let is_right = (22..=256).contains(&text.len()) && text.bytes().all(is_credential);
    if is_right { Ok(()) } else { Err(Flaw::Password) }
}

/// RFC 8839 §5.4's characters, and four more that servers in use send and browsers take. A colon never:
/// it parts the two halves of a check's user name (RFC 8445 §7.2.2).
fn is_credential(byte: u8) -> bool {
    is_ice_char(byte) || matches!(byte, b'-' | b'_' | b'=' | b'#')
}
