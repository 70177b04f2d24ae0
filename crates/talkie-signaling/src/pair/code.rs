//! The code that one side prints and the other types: a secret, and a character that catches typos.
//!
//! Twenty characters in four groups, of Crockford's base 32 alphabet, which leaves out I, L, O and U
//! and reads them as what they look like. Nineteen carry 95 bits of randomness, so that a server that
//! sees the room's name and check can't find the code by trying. The last one is a checksum over
//! GF(32): each character is weighted by another power of a generator, so that every single wrong
//! character and every swap of two is noticed before anybody is asked.
//!
//! Room and key both follow from the secret and the purpose by HKDF: the name of the room tells nothing of
//! the key, and a code that was made for something else leads nowhere.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;

use crate::sealed::{NoRandomness, RoomKey};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters that carry the secret: 95 bits.
const DATA: usize = 19;
const GROUP: usize = 5;
const SALT: &[u8] = b"talkie code 1";

/// What two people share who want to meet.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; DATA]);

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseCodeError {
    /// Too few or too many characters.
    #[error("a code has 20 letters and digits in four groups, this one has {0}")]
    Length(usize),
    /// A character that no code has.
    #[error("`{0}` is in no code: codes are letters and digits, without U")]
    Letter(char),
    /// A typo.
    #[error("there is a typo in the code: its check character does not fit; compare it again")]
    Typo,
}

impl Code {
    /// A fresh one.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = [0; DATA];
        rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(bytes.map(|byte| byte & 31)))
    }

    /// The room in which both meet for a purpose, whose name the room's begins with: at most 40 small letters.
    #[must_use]
    pub fn room(&self, purpose: &str) -> String {
        let bytes: [u8; 10] = self.derive(purpose, "room");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{purpose}-{hex}")
    }

    /// The key of that room, which the server does not have.
    #[must_use]
    pub fn key(&self, purpose: &str) -> RoomKey {
        let bytes: [u8; 32] = self.derive(purpose, "key");
        RoomKey::from_bytes(&bytes).expect("32 bytes are a key")
    }

    fn derive<const N: usize>(&self, purpose: &str, what: &str) -> [u8; N] {
        struct Length(usize);
        impl KeyType for Length {
            fn len(&self) -> usize {
                self.0
            }
        }
        let mut bytes = [0; N];
        let prk = Salt::new(HKDF_SHA256, SALT).extract(&self.0);
        // A purpose has letters only, so that two lists never give the same bytes.
        let info = [purpose.as_bytes(), b" ", what.as_bytes()];
        let okm = prk.expand(&info, Length(N)).expect("HKDF gives up to 8,160 bytes");
        okm.fill(&mut bytes).expect("as long as was said");
        bytes
    }

    fn check(&self) -> u8 {
        checksum(&self.0)
    }
}

/// The sum of all values, each times another power of the generator.
fn checksum(values: &[u8]) -> u8 {
    let mut weight = 1;
    let mut sum = 0;
    for value in values {
        weight = double(weight);
        sum ^= times(weight, *value);
    }
    sum
}

/// In GF(32) by x⁵ + x² + 1, of which x is a generator: its 31 powers are all different.
fn double(value: u8) -> u8 {
    let doubled = value << 1;
    if doubled & 32 == 0 { doubled } else { doubled ^ 0b10_0101 }
}

fn times(a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut shifted = a;
    for bit in 0..5 {
        if b >> bit & 1 == 1 {
            product ^= shifted;
        }
        shifted = double(shifted);
    }
    product
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = [self.check()];
        for (at, value) in self.0.iter().chain(&check).enumerate() {
            if at > 0 && at % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(ALPHABET[usize::from(*value)]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

impl FromStr for Code {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, ParseCodeError> {
        let mut values = Vec::new();
        for letter in text.chars().filter(|letter| !is_between(*letter)) {
            if values.len() > DATA {
                let length = text.chars().filter(|letter| letter.is_alphanumeric()).count();
                return Err(ParseCodeError::Length(length));
            }
            values.push(value(letter).ok_or(ParseCodeError::Letter(letter))?);
        }
        let length = values.len();
        let Some((check, data)) = values.split_last() else {
            return Err(ParseCodeError::Length(0));
        };
        let code = Self(data.try_into().map_err(|_| ParseCodeError::Length(length))?);
        if code.check() == *check { Ok(code) } else { Err(ParseCodeError::Typo) }
    }
}

/// What people and their programs put between groups: blanks, and hyphens of all lengths.
fn is_between(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn value(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = ALPHABET.iter().position(|known| char::from(*known) == letter)?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> Code {
        Code(std::array::from_fn(|at| u8::try_from(at * 7 % 32).unwrap()))
    }

    #[test]
    fn what_is_printed_can_be_typed_in_any_manner() {
        let text = code().to_string();
        assert_eq!(text.len(), 23, "{text}");
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('-', " – "),
            text.replace('0', "O").replace('1', "l"),
            format!(" {text}\n"),
        ] {
            assert_eq!(typed.parse(), Ok(code()), "{typed}");
        }
        let fresh = Code::generate().unwrap();
        assert_eq!(fresh.to_string().parse(), Ok(fresh.clone()));
        assert_ne!(fresh, Code::generate().unwrap());
    }

    #[test]
    fn every_wrong_character_and_every_swap_is_noticed() {
        let letters: Vec<char> = code().to_string().chars().filter(|it| *it != '-').collect();
        for at in 0..letters.len() {
            for other in ALPHABET {
                let mut wrong = letters.clone();
                wrong[at] = char::from(*other);
                let expected =
                    if wrong == letters { Ok(code()) } else { Err(ParseCodeError::Typo) };
                assert_eq!(wrong.iter().collect::<String>().parse(), expected);
            }
            for with in at + 1..letters.len() {
                let mut wrong = letters.clone();
                wrong.swap(at, with);
                let expected =
                    if wrong == letters { Ok(code()) } else { Err(ParseCodeError::Typo) };
                assert_eq!(wrong.iter().collect::<String>().parse(), expected);
            }
        }
    }

    #[test]
    fn what_is_no_code_is_told_as_what_it_is() {
        let text = code().to_string();
        for (wrong, error) in [
            ("", ParseCodeError::Length(0)),
            (&text[..22], ParseCodeError::Length(19)),
            (&*format!("{text}0"), ParseCodeError::Length(21)),
            (&*"0".repeat(10_000), ParseCodeError::Length(10_000)),
            ("https://talk.example", ParseCodeError::Letter(':')),
            ("UUUUU", ParseCodeError::Letter('U')),
        ] {
            assert_eq!(wrong.parse::<Code>(), Err(error), "{wrong}");
        }
    }

    #[test]
    fn room_and_key_follow_from_all_of_the_code_and_from_the_purpose() {
        let (one, mut other) = (code(), code());
        other.0[18] ^= 1;
        let of = |code: &Code, purpose: &str| (code.room(purpose), code.key(purpose));
        assert_eq!(of(&one, "doctor"), of(&code(), "doctor"));
        for (code, purpose) in [(&other, "doctor"), (&one, "ice")] {
            assert_ne!(one.room("doctor"), code.room(purpose));
            assert_ne!(one.key("doctor"), code.key(purpose));
        }
        assert!(one.room("doctor").len() <= 64);
        assert!(!format!("{one:?}").contains(&one.to_string()[..5]));
    }
}
