//! Signaling over WebSocket; `docs/signaling.md` is the protocol.
