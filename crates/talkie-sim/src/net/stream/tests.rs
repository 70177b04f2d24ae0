use super::super::dice::Dice;
use super::connection::SEGMENT;
use super::*;

const MILLISECOND: u64 = 1_000_000;

/// Two ends of a connection, and what is on the line between them.
struct Pair {
    now: u64,
    ends: [Connection; 2],
    got: [Vec<Vec<u8>>; 2],
    ended: [Option<End>; 2],
    opened: [bool; 2],
    /// To whom, and what.
    line: VecDeque<(usize, Segment, Vec<u8>)>,
}

impl Pair {
    fn new() -> Self {
        let [one, two] = ["10.0.0.1:1", "10.0.0.2:2"].map(|text| text.parse().unwrap());
        let path = |local, remote| Path { transport: Transport::Tcp, local, remote };
        // One stream begins just below where numbers wrap.
        let ends =
            [Connection::new(path(one, two), u32::MAX - 2), Connection::new(path(two, one), 7)];
        Self {
            now: 0,
            ends,
            got: [vec![], vec![]],
            ended: [None; 2],
            opened: [false; 2],
            line: VecDeque::new(),
        }
    }

    fn act<R>(
        &mut self,
        end: usize,
        act: impl FnOnce(&mut Connection, u64, &mut Output) -> R,
    ) -> R {
        let mut out = Output::default();
        let result = act(&mut self.ends[end], self.now, &mut out);
        self.got[end].extend(out.messages);
        self.ended[end] = out.ended.or(self.ended[end]);
        self.opened[end] |= out.opened;
        let segments =
            out.segments.into_iter().map(|(segment, payload)| (1 - end, segment, payload));
        self.line.extend(segments);
        result
    }

    /// Delivers what is on the line unless `loses` says no, fires timers, until nothing is left to do.
    fn run(&mut self, mut loses: impl FnMut() -> bool) {
        for _ in 0..100_000 {
            if let Some((to, segment, payload)) = self.line.pop_front() {
                self.now += MILLISECOND;
                if !loses() && self.ended[to].is_none() {
                    self.act(to, |end, now, out| end.handle_segment(now, segment, &payload, out));
                }
                continue;
            }
            let live = |end: &usize| self.ended[*end].is_none();
            let deadlines =
                [0, 1].into_iter().filter(live).filter_map(|end| self.ends[end].deadline);
            let Some(at) = deadlines.min() else { return };
            self.now = self.now.max(at);
            for end in [0, 1] {
                if self.ended[end].is_none() {
                    self.act(end, |end, now, out| end.handle_timeout(now, out));
                }
            }
        }
        panic!("it never ends");
    }
}

fn messages(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| vec![number as u8; 1 + number * 97 % (3 * SEGMENT)]).collect()
}

#[test]
fn messages_arrive_whole_and_in_order_whatever_is_lost() {
    for (loss, seed) in [(0.0, 1), (0.01, 2), (0.1, 3), (0.1, 4), (0.2, 5), (0.2, 6)] {
        let mut dice = Dice::new(seed);
        let mut pair = Pair::new();
        pair.act(0, |end, now, out| end.open(now, out));
        let sent = messages(100);
        for from in [0, 1] {
            for message in &sent {
                assert!(pair.act(from, |end, now, out| end.send(now, message, out)));
            }
            pair.run(|| dice.happens(loss));
            assert!(
                pair.got[1 - from] == sent,
                "{} arrived at a loss of {loss}",
                pair.got[1 - from].len()
            );
        }
        assert_eq!(pair.opened, [true; 2]);
        pair.act(0, |end, now, out| end.close(now, out));
        pair.run(|| false);
        assert_eq!(pair.ended, [Some(End::Finished); 2]);
    }
}

#[test]
fn both_may_open_at_once() {
    let mut pair = Pair::new();
    for end in [0, 1] {
        pair.act(end, |end, now, out| end.open(now, out));
    }
    pair.run(|| false);
    assert_eq!(pair.opened, [true; 2]);
    for end in [0, 1] {
        pair.act(end, |end, now, out| end.send(now, b"hello", out));
    }
    pair.run(|| false);
    assert_eq!(pair.got, [[b"hello"], [b"hello"]]);
}

#[test]
fn who_hears_nothing_gives_up() {
    let mut pair = Pair::new();
    pair.act(0, |end, now, out| end.open(now, out));
    pair.run(|| true);
    assert_eq!(pair.ended, [Some(End::TimedOut), None]);
    // 1 + 2 + 4 + 8 + 16 + 32 seconds, and the longest pause that there is.
    assert_eq!(pair.now / (1000 * MILLISECOND), 63 + 60);
}

#[test]
fn a_stranger_s_reset_does_not_count() {
    let mut pair = Pair::new();
    pair.act(0, |end, now, out| end.open(now, out));
    pair.run(|| false);
    let reset = |sequence| Segment { flags: Flags::RST, sequence, ..Segment::default() };
    pair.act(0, |end, now, out| end.handle_segment(now, reset(12_345), &[], out));
    assert_eq!(pair.ended[0], None);
    pair.act(0, |end, now, out| end.handle_segment(now, reset(8), &[], out));
    assert_eq!(pair.ended[0], Some(End::Reset));
}

#[test]
fn more_than_fits_is_refused() {
    let mut pair = Pair::new();
    let message = vec![0; 60_000];
    let taken = (0..100).filter(|_| pair.act(0, |end, now, out| end.send(now, &message, out)));
    assert_eq!(taken.count(), (1 << 20) / 60_000);
}
