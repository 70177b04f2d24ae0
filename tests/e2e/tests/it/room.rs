//! A member of a room that speaks docs/signaling.md and nothing else: no browser, no library.

use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

pub(crate) struct Member {
    socket: WebSocket<TcpStream>,
    sent: u64,
}

impl Member {
    /// Opens a session and joins.
    pub(crate) fn enter(port: u16, room: &str) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (socket, _) = client(format!("ws://localhost:{port}/signal"), stream).unwrap();
        let mut member = Self { socket, sent: 0 };
        member.send(&json!({"type": "hello", "version": 1}));
        member.wait_for("welcome");
        member.send_reliably(json!({"type": "join", "room": room, "name": "Ada"}));
        member.wait_for("joined");
        member
    }

    /// The next message of a type; others are passed over.
    pub(crate) fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.socket.read().unwrap_or_else(|error| panic!("{kind}: {error}"));
            let Message::Text(text) = frame else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            assert_ne!(message["type"], "error", "{message}");
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The status of the close frame; messages before it are passed over.
    pub(crate) fn wait_for_close(&mut self) -> u16 {
        loop {
            let frame = self.socket.read().unwrap_or_else(|error| panic!("cut off: {error}"));
            if let Message::Close(frame) = frame {
                return frame.unwrap().code.into();
            }
        }
    }

    pub(crate) fn say_bye(&mut self) {
        self.send_reliably(json!({"type": "bye"}));
    }

    fn send_reliably(&mut self, mut message: Value) {
        self.sent += 1;
        message["seq"] = json!(self.sent);
        self.send(&message);
    }

    fn send(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).unwrap();
    }
}

mod tests {
    use talkie_e2e::{Ports, Program};

    use super::*;

    #[test]
    fn two_members_exchange_signals_through_the_program() {
        let ports = Ports::pick().unwrap();
        let mut program = Program::serve(&ports.flags()).unwrap();
        program.wait_for(ports.admin, "/readyz").unwrap();
        let mut ada = Member::enter(ports.http, "garden");
        let mut grace = Member::enter(ports.http, "garden");
        let came = ada.wait_for("peer-joined");
        ada.send_reliably(json!({
            "type": "signal", "to": came["peer"]["id"], "payload": {"bytes": [0, 1, 2]}
        }));
        assert_eq!(grace.wait_for("signal")["payload"], json!({"bytes": [0, 1, 2]}));
    }
}
