//! The TURN relay: the sans-IO machine on real sockets.
