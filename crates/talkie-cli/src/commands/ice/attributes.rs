//! What the two sides tell each other: the attributes of RFC 8839, a line each, as they come. The same
//! lines go over a server and by hand, and the examples of the crates understand them, too.

use std::time::Instant;

use talkie_traversal::ice::{Agent, Attribute, Candidate, Parameters, Role};

/// More lines than this nobody has to say.
const MOST: usize = 512;

/// What was found in a line of the other side.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    /// Who it is.
    Parameters,
    /// Where it may be reached.
    Candidate(Box<Candidate>),
    /// That this was all.
    End,
    /// What is of no use, and why.
    Useless(String),
}

/// How the two are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roles {
    /// One came first.
    Known,
    /// Nobody knows who came first: the greater user name fragment decides.
    ByName,
}

/// This side's lines before its candidates.
pub(super) fn introduction(parameters: &Parameters) -> Vec<String> {
    parameters.attributes().map(|attribute| format!("a={attribute}")).collect()
}

/// What goes into one letter: lines of which every reader knows whose they are, since a letter may come late, after
/// a restart (RFC 8838 §8.1, RFC 8840 §4.4).
pub(super) fn named(mut lines: Vec<String>, introduced: &[String]) -> Vec<String> {
    let name = introduced.iter().find(|line| line.contains("ice-ufrag:"));
    if let Some(name) = name.filter(|name| !lines.contains(name)) {
        lines.insert(0, name.clone());
    }
    lines
}

/// Hands the other side's lines to the agent.
pub(super) fn hear(agent: &mut Agent, now: Instant, lines: &[String], roles: Roles) -> Vec<Heard> {
    let lines = &lines[..lines.len().min(MOST)];
    let mut heard = Vec::new();
    let has = |part: &str| lines.iter().any(|line| line.contains(part));
    // Over a server the name alone only says whose the candidates are.
    let only_names = roles == Roles::Known && has("candidate");
    if has("ice-pwd:") || (has("ice-ufrag:") && !only_names) {
        match Parameters::from_lines(lines.iter().map(String::as_str)) {
            Ok(parameters) => {
                if roles == Roles::ByName {
                    let ours = &agent.local_parameters().username_fragment;
                    let is_first = *ours > parameters.username_fragment;
                    let role = if is_first { Role::Controlling } else { Role::Controlled };
                    agent.set_role(now, role);
                }
                agent.set_remote_parameters(now, parameters);
                heard.push(Heard::Parameters);
            }
            Err(error) => heard.push(Heard::Useless(error.to_string())),
        }
    }
    let mut fragment = None;
    for line in lines {
        match line.parse() {
            Ok(Attribute::UsernameFragment(name)) => fragment = Some(name),
            Ok(Attribute::Candidate(candidate)) => {
                let taken = agent.add_remote_candidate(now, candidate.clone());
                heard.push(match taken {
                    Ok(()) => Heard::Candidate(Box::new(candidate)),
                    Err(error) => Heard::Useless(format!("{error}, in `{candidate}`")),
                });
            }
            Ok(Attribute::EndOfCandidates) => {
                match &fragment {
                    Some(fragment) => agent.end_of_remote_candidates_of(now, fragment),
                    None => agent.end_of_remote_candidates(now),
                }
                heard.push(Heard::End);
            }
            Ok(_) => {}
            // The parameters' own were read above.
            Err(_) if line.contains("ice-") => {}
            Err(error) => heard.push(Heard::Useless(error.to_string())),
        }
    }
    heard
}

/// What a line that was pasted is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// None of a block.
    Nothing,
    /// One of several.
    Part,
    /// The last of all these.
    All(Vec<String>),
}

/// The block that one side pastes, as it comes in line by line.
#[derive(Debug, Default)]
pub(super) struct Block {
    lines: Vec<String>,
}

impl Block {
    /// Takes a line that was typed or pasted, with whatever a letter puts before it. An empty line is part
    /// of any.
    pub(super) fn take(&mut self, line: &[u8]) -> Taken {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_start_matches(['>', ' ', '\t']).trim_end();
        if line.is_empty() {
            return Taken::Part;
        }
        if !line.starts_with("a=") || self.lines.len() >= MOST {
            return Taken::Nothing;
        }
        self.lines.push(line.to_owned());
        match line {
            "a=end-of-candidates" => Taken::All(std::mem::take(&mut self.lines)),
            _ => Taken::Part,
        }
    }

    /// Whether no line of it has come.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use talkie_traversal::ice::Config;

    use super::*;

    fn agent(seed: u8) -> (Agent, Instant) {
        let mut genesis = talkie_net::genesis().unwrap();
        genesis.seed = [seed; 32];
        (Agent::new(&genesis, Config::default()), genesis.now)
    }

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_side_takes_what_the_other_says_and_one_of_them_controls() {
        let ((mut one, _), (mut other, now)) = (agent(1), agent(2));
        let [ours, theirs] = [&one, &other].map(|it| introduction(it.local_parameters()));
        assert_eq!(hear(&mut one, now, &theirs, Roles::ByName), [Heard::Parameters]);
        assert_eq!(hear(&mut other, now, &ours, Roles::ByName), [Heard::Parameters]);
        assert_ne!(one.role(), other.role());
        assert_eq!(one.remote_parameters(), Some(other.local_parameters()));
    }

    #[test]
    fn what_is_of_no_use_is_told_and_the_rest_taken() {
        let (mut agent, now) = agent(1);
        let text = "a=ice-ufrag:abcd\na=ice-pwd:0123456789abcdefghijkl\n\
                    a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\n\
                    a=candidate:1 1 sctp 2130706431 192.0.2.1 5000 typ host\n\
                    a=candidate:1 1 udp 2130706431 224.0.0.1 5000 typ host\n\
                    a=end-of-candidates";
        let heard = hear(&mut agent, now, &lines(text), Roles::Known);
        let useless = heard.iter().filter(|it| matches!(it, Heard::Useless(_))).count();
        assert_eq!((useless, heard.len()), (2, 5), "{heard:?}");
        let heard = hear(&mut agent, now, &lines("a=ice-ufrag:abcd"), Roles::Known);
        assert!(
            matches!(&heard[..], [Heard::Useless(why)] if why.contains("password")),
            "{heard:?}"
        );
    }

    #[test]
    fn the_end_of_other_credentials_does_not_end_these() {
        let (mut agent, now) = agent(1);
        let introduced = lines("a=ice-ufrag:abcd\na=ice-pwd:0123456789abcdefghijkl");
        hear(&mut agent, now, &introduced, Roles::Known);
        let end =
            |of: &str| named(lines("a=end-of-candidates"), &lines(&format!("a=ice-ufrag:{of}")));
        let candidate = |port: u16| {
            lines(&format!("a=candidate:1 1 udp 2130706431 192.0.2.1 {port} typ host ufrag abcd"))
        };
        assert_eq!(hear(&mut agent, now, &end("gone"), Roles::Known), [Heard::End]);
        let heard = hear(&mut agent, now, &candidate(5000), Roles::Known);
        assert!(matches!(&heard[..], [Heard::Candidate(_)]), "{heard:?}");
        assert_eq!(hear(&mut agent, now, &end("abcd"), Roles::Known), [Heard::End]);
        let heard = hear(&mut agent, now, &candidate(5001), Roles::Known);
        assert!(matches!(&heard[..], [Heard::Useless(_)]), "{heard:?}");
    }

    #[test]
    fn a_block_is_found_in_a_letter() {
        let mut block = Block::default();
        let letter = "Hi,\n> a=ice-ufrag:abcd\r\n>  a=candidate:1 …\n\n> a=end-of-candidates\nbye";
        let taken: Vec<_> = letter.lines().map(|line| block.take(line.as_bytes())).collect();
        let all = ["a=ice-ufrag:abcd", "a=candidate:1 …", "a=end-of-candidates"];
        let all = Taken::All(all.map(str::to_owned).into());
        let (part, nothing) = (Taken::Part, Taken::Nothing);
        assert_eq!(taken, [&nothing, &part, &part, &part, &all, &nothing].map(Taken::clone));
    }
}
