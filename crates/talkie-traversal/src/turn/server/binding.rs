//! Binding requests (RFC 8489 §12, "Basic STUN server behavior"): the client's address, and nothing
//! that amplifies. A bare request of 20 bytes over IPv4 gets 32 in return.

use talkie_sansio::Path;

use super::TurnServer;
use super::reply::Asker;
use crate::stun::Message;
use crate::stun::attributes::ErrorCode;

impl TurnServer {
    /// Credentials in it are neither needed nor looked at.
    pub(super) fn binding(&mut self, path: Path, request: &Message<'_>) {
        let asker = Asker::of(path, request);
        let unknown = super::unknown_attributes(request);
        if !unknown.is_empty() {
            self.count_error(ErrorCode::UNKNOWN_ATTRIBUTE);
            asker.error(&mut self.outbox, None, ErrorCode::UNKNOWN_ATTRIBUTE, &unknown);
            return;
        }
        self.stats.bindings += 1;
        asker.success(&mut self.outbox, None, |writer| {
            writer.attribute(&asker.mapped());
        });
    }
}
