//! Telling protocols apart that share one port (RFC 7983).
