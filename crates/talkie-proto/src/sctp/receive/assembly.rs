//! Puts fragments together, in whatever order they come.
//!
//! A run is what has come of a message without a hole. Runs are kept in order of message and position, so
//! that a fragment finds the run that it continues and the one that continues it as its neighbours. With
//! DATA the position is the TSN, and all messages are one lane; with I-DATA it is the FSN, and each
//! message is a lane of its own. A fragment that comes in order is copied behind the last one; runs that
//! meet are hung together, the shorter list of parts to the longer, and copied once when the message is
//! complete. So fragments cost about the same in whatever order a peer sends them, and every part is
//! reckoned with what it takes beside its bytes.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use bytes::Bytes;

use super::{Fragment, Message, Violation};
use crate::sctp::wire::data::{BEGINNING, END, UNORDERED};

/// Stream with the unordered bit, message; both 0 with DATA.
type Lane = (u32, u32);

/// What a run is reckoned to cost beside its parts.
const RUN: usize = 144;

/// How much room a message is given before it has come.
const RESERVED: usize = 256 * 1024;

/// What a part is reckoned to cost beside its bytes.
const PART: usize = 72;

#[derive(Debug)]
struct Run {
    /// The position after its last fragment.
    end: u64,
    flags: u8,
    stream: u16,
    number: u32,
    ppid: u32,
    length: usize,
    parts: VecDeque<Vec<u8>>,
}

/// Messages that are not complete.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    runs: BTreeMap<(Lane, u64), Run>,
    held: usize,
    parts: usize,
    /// The length of the last message: the next one that begins is thought to have it as well, so that it
    /// does not grow piece by piece. There is one such guess at a time, which nothing is reckoned for.
    usual: usize,
    reserved: Option<(Lane, u64)>,
}

impl Assembly {
    /// Bytes that it takes.
    pub(crate) fn held(&self) -> usize {
        self.held + self.beside()
    }

    /// What of that is no payload.
    pub(crate) fn beside(&self) -> usize {
        self.runs.len() * RUN + self.parts * PART
    }

    /// Takes a fragment, and gives the message that it completes.
    pub(crate) fn insert(
        &mut self,
        fragment: &Fragment<'_>,
        most: usize,
    ) -> Result<Option<Message>, Violation> {
        const WHOLE: u8 = BEGINNING | END;
        if fragment.payload.len() > most {
            return Err(Violation::TooLong);
        }
        if fragment.flags & WHOLE == WHOLE {
            return Ok(Some(fragment.message(Bytes::copy_from_slice(fragment.payload))));
        }
        let lane = lane(fragment);
        let (start, flags) = if let Some(appended) = self.append(lane, fragment, most) {
            appended
        } else {
            let start = self.extend(lane, fragment)?;
            let run = self.join(lane, start)?;
            if run.length > most {
                return Err(Violation::TooLong);
            }
            (start, run.flags)
        };
        if flags & WHOLE != WHOLE {
            return Ok(None);
        }
        let run = self.remove((lane, start)).expect("it has just been looked at");
        self.held -= run.length;
        self.parts -= run.parts.len();
        self.usual = run.length.min(RESERVED);
        let message = Message {
            stream: run.stream,
            ppid: run.ppid,
            unordered: run.flags & UNORDERED != 0,
            number: run.number,
            payload: concatenated(run.parts, run.length),
        };
        Ok(Some(message))
    }

    /// Adds the fragment to the run that it continues, if no other begins where it ends: so do nearly all, and
    /// this looks once for what takes [`extend()`](Self::extend) and [`join()`](Self::join) several looks.
    /// Tells where the run starts, and its flags.
    fn append(&mut self, lane: Lane, fragment: &Fragment<'_>, most: usize) -> Option<(u64, u8)> {
        let at = fragment.position;
        let (&(_, start), run) = self.runs.range_mut((lane, 0)..=(lane, at + 1)).next_back()?;
        let continues = run.end == at
            && run.flags & END == 0
            && fragment.flags & BEGINNING == 0
            && run.is_of(fragment.stream, fragment.number, fragment.flags)
            && run.length + fragment.payload.len() <= most;
        if !continues {
            return None;
        }
        self.held += fragment.payload.len();
        run.append(fragment);
        Some((start, run.flags))
    }

    /// Adds the fragment to the run that it continues, or begins one; tells where the run starts.
    fn extend(&mut self, lane: Lane, fragment: &Fragment<'_>) -> Result<u64, Violation> {
        let at = fragment.position;
        let before = self.runs.range_mut((lane, 0)..=(lane, at)).next_back();
        if let Some((&(_, start), run)) = before {
            if run.end > at {
                return Err(Violation::Overlap);
            }
            let (ended, begins) = (run.flags & END != 0, fragment.flags & BEGINNING != 0);
            if run.end == at && (ended || begins) {
                // With DATA the neighbours are other messages; the first may never be finished.
                if !begins || !ended && fragment.interleaved {
                    return Err(Violation::Fragmentation);
                }
            } else if run.end == at {
                if !run.is_of(fragment.stream, fragment.number, fragment.flags) {
                    return Err(Violation::Fragmentation);
                }
                self.held += fragment.payload.len();
                run.append(fragment);
                return Ok(start);
            }
        }
        let mut part = Vec::new();
        if fragment.flags & BEGINNING != 0 && self.reserved.is_none() {
            self.reserved = Some((lane, at));
            part.reserve_exact(self.usual.max(fragment.payload.len()));
        }
        part.extend_from_slice(fragment.payload);
        let run = Run {
            end: at + 1,
            flags: fragment.flags & (BEGINNING | END | UNORDERED),
            stream: fragment.stream,
            number: fragment.number,
            ppid: fragment.ppid,
            length: fragment.payload.len(),
            parts: VecDeque::from([part]),
        };
        self.held += run.length;
        self.parts += 1;
        self.runs.insert((lane, at), run);
        Ok(at)
    }

    /// Hangs the run after it to the run at `start`, if they touch.
    fn join(&mut self, lane: Lane, start: u64) -> Result<&Run, Violation> {
        let run = &self.runs[&(lane, start)];
        let (end, flags) = (run.end, run.flags);
        let mut joined = None;
        if let Some(next) = self.runs.get(&(lane, end)) {
            let (ended, begins) = (flags & END != 0, next.flags & BEGINNING != 0);
            let other = begins && (ended || lane == (0, 0));
            if !other && (ended || begins || !run.is_of(next.stream, next.number, next.flags)) {
                return Err(Violation::Fragmentation);
            }
            if !other {
                joined = self.remove((lane, end));
            }
        }
        let run = self.runs.get_mut(&(lane, start)).expect("it is the run that was extended");
        if let Some(mut next) = joined {
            run.end = next.end;
            run.flags |= next.flags & END;
            run.length += next.length;
            if run.parts.len() < next.parts.len() {
                std::mem::swap(&mut run.parts, &mut next.parts);
                next.parts.into_iter().rev().for_each(|part| run.parts.push_front(part));
            } else {
                run.parts.extend(next.parts);
            }
        }
        Ok(run)
    }

    /// With DATA: forgets the first message that can never be whole, as what comes after it is another's, and
    /// tells its stream, whether it is unordered, and its number. There should be none; dcsctp 0.1.16 makes
    /// them of messages whose lifetime ends when a part of them has left.
    pub(crate) fn take_dead(&mut self, cumulative: u64) -> Option<(u16, bool, u32)> {
        // One that still goes on ends right behind what has come.
        let first = self.runs.first_entry().filter(|run| run.get().end <= cumulative)?;
        let key = *first.key();
        let run = self.remove(key)?;
        self.held -= run.length;
        self.parts -= run.parts.len();
        Some((run.stream, run.flags & UNORDERED != 0, run.number))
    }

    /// With DATA: forgets what began at or before `tsn`, and what lacks a beginning that all up to
    /// `cumulative` has not brought.
    pub(crate) fn forget_until(&mut self, tsn: u64, cumulative: u64) {
        let gone: Vec<_> = self
            .runs
            .range(..=((0, 0), cumulative))
            .filter(|((_, at), run)| *at <= tsn || run.flags & BEGINNING == 0)
            .map(|(key, _)| *key)
            .collect();
        self.forget(&gone);
    }

    /// Forgets a stream's messages up to one (with I-DATA). Looks at no others: a peer may ask for it a
    /// hundred times in a packet.
    pub(crate) fn forget_messages(&mut self, stream: u16, unordered: bool, last: u32) {
        let id = u32::from(stream) << 1 | u32::from(unordered);
        // Half of all numbers lie before it, in one piece or around the end.
        let first = last.wrapping_sub(u32::MAX / 2);
        let (low, high) = if first <= last { (first, None) } else { (0, Some((first, u32::MAX))) };
        for (first, last) in std::iter::once((low, last)).chain(high) {
            let messages = ((id, first), 0)..=((id, last), u64::MAX);
            let gone: Vec<_> = self.runs.range(messages).map(|(key, _)| *key).collect();
            self.forget(&gone);
        }
    }

    /// With I-DATA: forgets all messages of streams.
    pub(crate) fn forget_streams(&mut self, streams: RangeInclusive<u16>) {
        let (first, last) = (u32::from(*streams.start()) << 1, u32::from(*streams.end()) << 1 | 1);
        let of_them = ((first, 0), 0)..=((last, u32::MAX), u64::MAX);
        let gone: Vec<_> = self.runs.range(of_them).map(|(key, _)| *key).collect();
        self.forget(&gone);
    }

    fn forget(&mut self, gone: &[(Lane, u64)]) {
        for key in gone {
            if let Some(run) = self.remove(*key) {
                self.held -= run.length;
                self.parts -= run.parts.len();
            }
        }
    }

    fn remove(&mut self, key: (Lane, u64)) -> Option<Run> {
        if self.reserved == Some(key) {
            self.reserved = None;
        }
        self.runs.remove(&key)
    }
}

impl Run {
    /// Adds the fragment that comes next.
    fn append(&mut self, fragment: &Fragment<'_>) {
        self.end += 1;
        self.flags |= fragment.flags & END;
        self.length += fragment.payload.len();
        let last = self.parts.back_mut().expect("a run has a part");
        last.extend_from_slice(fragment.payload);
    }

    /// Whether a fragment belongs to the same message.
    fn is_of(&self, stream: u16, number: u32, flags: u8) -> bool {
        let unordered = self.flags & UNORDERED;
        self.stream == stream
            && unordered == flags & UNORDERED
            && (unordered != 0 || self.number == number)
    }
}

fn lane(fragment: &Fragment<'_>) -> Lane {
    if !fragment.interleaved {
        return (0, 0);
    }
    let unordered = u32::from(fragment.flags & UNORDERED != 0);
    (u32::from(fragment.stream) << 1 | unordered, fragment.number)
}

fn concatenated(mut parts: VecDeque<Vec<u8>>, length: usize) -> Bytes {
    if parts.len() == 1 {
        let mut part = parts.pop_front().unwrap_or_default();
        // A wrong guess is not to be kept for as long as the message.
        if part.capacity() / 2 > part.len() {
            part.shrink_to_fit();
        }
        return part.into();
    }
    let mut whole = Vec::with_capacity(length);
    for part in parts {
        whole.extend_from_slice(&part);
    }
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_one_byte_is_reckoned_with_what_it_takes() {
        // The nodes of a map are six elevenths full or more. Its list of parts and its part are an allocation
        // each.
        let run = size_of::<((Lane, u64), Run)>() * 11 / 6;
        assert!(run + 2 * 32 <= RUN + PART, "{run}");
    }
}
