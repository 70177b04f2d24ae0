//! Scenarios of WebRTC's protocols on a virtual clock.

mod corpus;
mod datachannel;
mod datachannel_ends;
mod datachannel_hostile;
mod datachannel_schedules;
mod datachannel_world;
mod long_run;
mod peers;
mod sctp_aborts;
mod sctp_acks;
mod sctp_causes;
mod sctp_cookies;
mod sctp_games;
mod sctp_handshake;
mod sctp_hostile;
mod sctp_path_size;
mod sctp_properties;
mod sctp_reneging;
mod sctp_schedules;
mod sctp_shutdown;
mod sctp_storm;
mod sctp_streams;
mod sctp_transfer;
mod sctp_windows;
mod sctp_world;
mod sctp_wraps;
