//! TURN: Traversal Using Relays around NAT (RFC 8656).
