//! A line does to packets what was asked for.

use std::time::{Duration, Instant};

use talkie_lab::real::Host;

use super::{Lab, SERVER};

#[test]
fn delay_and_loss_are_what_was_asked_for() {
    let lab = Lab::up(&["--delay", "20ms", "--jitter", "5ms", "--loss", "10%"]);
    let server = lab.udp(Host::Server, &format!("{SERVER}:7000"));
    let client = lab.udp(Host::Left, "0.0.0.0:0");
    client.connect(server.local_addr().unwrap()).unwrap();
    let echo = std::thread::spawn(move || {
        let mut buffer = [0; 8];
        while let Ok((len, from)) = server.recv_from(&mut buffer) {
            server.send_to(&buffer[..len], from).unwrap();
        }
    });
    let receiver = client.try_clone().unwrap();
    let start = Instant::now();
    let receive = std::thread::spawn(move || {
        let mut arrived = Vec::new();
        let mut buffer = [0; 8];
        while receiver.recv(&mut buffer).is_ok() {
            arrived.push(start.elapsed() - Duration::from_nanos(u64::from_be_bytes(buffer)));
        }
        arrived
    });
    const COUNT: usize = 500;
    for _ in 0..COUNT {
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap();
        client.send(&nanos.to_be_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut times = receive.join().unwrap();
    echo.join().unwrap();
    times.sort();
    // Through the line and back: 40 ms, give or take 10, and whatever this machine is busy with.
    let (least, median) = (times[0], times[times.len() / 2]);
    assert!(least >= Duration::from_millis(30), "{least:?}");
    assert!(
        median >= Duration::from_millis(38) && median < Duration::from_millis(60),
        "{median:?}"
    );
    // 405 are expected; the standard deviation is below 9.
    assert!((360..450).contains(&times.len()), "{} of {COUNT}", times.len());
}

#[test]
fn the_rate_is_what_was_asked_for() {
    let lab = Lab::up(&["--rate", "4mbit"]);
    let server = lab.udp(Host::Server, &format!("{SERVER}:7000"));
    let client = lab.udp(Host::Left, "0.0.0.0:0");
    // 1,000 bytes of IP each; 200 ms of queue are a hundred of them, and the rest is dropped.
    for _ in 0..300 {
        client.send_to(&[0; 972], server.local_addr().unwrap()).unwrap();
    }
    let mut arrived = Vec::new();
    while server.recv(&mut [0; 1000]).is_ok() {
        arrived.push(Instant::now());
    }
    let took = *arrived.last().unwrap() - arrived[0];
    let rate = (arrived.len() - 1) as f64 * 8000.0 / took.as_secs_f64();
    assert!((90..=115).contains(&arrived.len()), "{}", arrived.len());
    assert!((3.4e6..4.6e6).contains(&rate), "{rate}");
}
