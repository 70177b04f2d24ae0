//! What the fuzzers of machines read their scripts from.

/// The input, read from the front; zeros beyond its end.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    pub(crate) fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(crate) fn block(&mut self) -> &'a [u8] {
        let length = self.byte();
        self.bytes(length.into())
    }
}
