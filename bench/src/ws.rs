//! Memory per idle signaling session.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::process::Server;

const SOCKETS: usize = 2000;

pub(crate) fn run() -> Result<()> {
    // Each socket has two ends on this machine.
    talkie_net::raise_descriptor_limit()?;
    let server = Server::signaling()?;
    let _first = open(server.address)?;
    let before = server.memory()?;
    let sockets = (0..SOCKETS).map(|_| open(server.address)).collect::<Result<Vec<TcpStream>>>()?;
    let bytes = server.memory()?.saturating_sub(before) / SOCKETS as u64;
    println!("bytes of memory per idle WebSocket, of {}: {bytes}", sockets.len());
    Ok(())
}

/// Opens a WebSocket and says hello.
fn open(server: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let request = format!(
        "GET /signal HTTP/1.1\r\nHost: {server}\r\nOrigin: http://{server}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    read_until(&mut stream, "\r\n\r\n")?;
    let hello = br#"{"type":"hello","version":1}"#;
    // A masked text frame; a mask of zeros leaves the text as it is (RFC 6455 §5.3).
    let mut frame = vec![0x81, 0x80 | u8::try_from(hello.len())?, 0, 0, 0, 0];
    frame.extend_from_slice(hello);
    stream.write_all(&frame)?;
    read_until(&mut stream, "welcome")?;
    Ok(stream)
}

fn read_until(stream: &mut TcpStream, wanted: &str) -> Result<()> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(wanted) {
        let length = stream.read(&mut buffer)?;
        ensure!(length > 0 && text.len() < 1 << 16, "no {wanted:?} in {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    Ok(())
}
