//! End-to-end tests of the talkie binary: real sockets, real browsers.
