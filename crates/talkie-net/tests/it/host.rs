//! A machine that asks for its own sockets gets them, and each answer once.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use talkie_net::host::{Limits, Options};
use talkie_sansio::{Answer, Path, Transport, Want, WantError, WantId};

use crate::guest::{Heard, Lodger};
use crate::toy::{framed, framer};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn bind(local: IpAddr) -> impl FnOnce(WantId) -> Want {
    move |id| Want::Bind { id, local, ports: 0..=0 }
}

fn listen(local: IpAddr) -> impl FnOnce(WantId) -> Want {
    move |id| Want::Listen { id, local, ports: 0..=0, framer }
}

fn connect(local: Option<SocketAddr>, remote: SocketAddr) -> impl FnOnce(WantId) -> Want {
    let (transport, server_name) = (Transport::Tcp, None);
    move |id| Want::Connect { id, transport, local, remote, server_name, framer }
}

async fn lodger() -> Lodger {
    Lodger::new(Options::default()).await
}

#[tokio::test]
async fn the_interfaces_are_told_first() {
    let lodger = lodger().await;
    assert!(lodger.interfaces.iter().any(|it| it.address == V4), "{:?}", lodger.interfaces);
}

#[tokio::test]
async fn datagrams_pass_between_sockets_that_were_asked_for() {
    for address in [V4, V6] {
        let (mut a, mut b) = (lodger().await, lodger().await);
        let (_, at_a) = a.is_bound(bind(address)).await;
        let (_, at_b) = b.is_bound(bind(address)).await;
        let path = Path { transport: Transport::Udp, local: at_a, remote: at_b };
        a.says(path, b"hello").await;
        let back = Path { transport: Transport::Udp, local: at_b, remote: at_a };
        assert_eq!(b.hears().await, Heard::Datagram(back, b"hello".to_vec()));
        b.says(back, b"and back").await;
        assert_eq!(a.hears().await, Heard::Datagram(path, b"and back".to_vec()));
    }
}

#[tokio::test]
async fn frames_pass_over_a_stream_both_ways_until_one_hangs_up() {
    for address in [V4, V6] {
        let (mut a, mut b) = (lodger().await, lodger().await);
        let (listener, at_b) = b.is_bound(listen(address)).await;
        let Answer::Connected { path, .. } = a.gets(connect(None, at_b)).await else { panic!() };
        assert_eq!((path.remote, path.local.ip()), (at_b, address));
        let back = Path { local: path.remote, remote: path.local, ..path };
        assert_eq!(b.answer().await, Answer::Accepted { id: listener, path: back });
        a.says(path, &framed(b"hello")).await;
        assert_eq!(b.hears().await, Heard::Datagram(back, framed(b"hello")));
        b.says(back, &framed(b"and back")).await;
        assert_eq!(a.hears().await, Heard::Datagram(path, framed(b"and back")));
        // What was said before hanging up still arrives.
        a.says(path, &framed(b"bye")).await;
        a.tell(Want::HangUp { path }).await;
        assert_eq!(b.hears().await, Heard::Datagram(back, framed(b"bye")));
        assert_eq!(b.answer().await, Answer::Closed { path: back });
        b.tell(Want::HangUp { path: back }).await;
        b.hears_nothing().await;
        a.hears_nothing().await;
    }
}

#[tokio::test]
async fn a_stream_may_leave_from_the_port_of_a_listener_which_nobody_else_may_have() {
    let (mut a, mut b) = (lodger().await, lodger().await);
    let (_, at_a) = a.is_bound(listen(V4)).await;
    let (_, at_b) = b.is_bound(listen(V4)).await;
    let Answer::Connected { path, .. } = a.gets(connect(Some(at_a), at_b)).await else { panic!() };
    assert_eq!(path.local, at_a);
    assert!(matches!(b.answer().await, Answer::Accepted { .. }));
    let port = at_a.port();
    let taken = b.fails(|id| Want::Listen { id, local: V4, ports: port..=port, framer }).await;
    assert_eq!(taken, WantError::Io(ErrorKind::AddrInUse));
}

#[tokio::test]
async fn a_name_is_resolved_in_both_families() {
    let mut it = lodger().await;
    let resolve = |name: &str| {
        let name = name.to_owned();
        move |id| Want::Resolve { id, name }
    };
    let Answer::Resolved { addresses, .. } = it.gets(resolve("localhost")).await else { panic!() };
    assert!(addresses.contains(&V4) || addresses.contains(&V6), "{addresses:?}");
    let Answer::Resolved { addresses, .. } = it.gets(resolve("::1")).await else { panic!() };
    assert_eq!(addresses, [V6]);
    // RFC 2606 §2: a name that never is.
    let long = "x".repeat(300);
    for name in ["", long.as_str(), "nul\0inside"] {
        let error = it.fails(resolve(name)).await;
        assert!(matches!(error, WantError::NoAddress | WantError::Io(_)), "{error:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_had_is_told_with_the_reason() {
    let mut it = lodger().await;
    // RFC 5737: an address of nobody's.
    let nobody = IpAddr::from([192, 0, 2, 1]);
    let no_address = WantError::Io(ErrorKind::AddrNotAvailable);
    assert_eq!(it.fails(bind(nobody)).await, no_address);
    assert_eq!(it.fails(listen(nobody)).await, no_address);
    let group = SocketAddr::from(([224, 0, 0, 251], 5353));
    assert!(matches!(
        it.fails(|id| Want::Join { id, interface: nobody, group }).await,
        WantError::Io(_)
    ));
    assert_eq!(it.fails(connect(Some((nobody, 0).into()), (V4, 9).into())).await, no_address);
    let taken = UdpSocket::bind((V4, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let in_use = it.fails(|id| Want::Bind { id, local: V4, ports: port..=port }).await;
    assert_eq!(in_use, WantError::Io(ErrorKind::AddrInUse));
    let free = TcpListener::bind((V4, 0)).unwrap().local_addr().unwrap();
    let refused = it.fails(connect(None, free)).await;
    assert_eq!(refused, WantError::Io(ErrorKind::ConnectionRefused));
    #[expect(clippy::reversed_empty_ranges, reason = "a machine's mistake")]
    let nothing = it.fails(|id| Want::Bind { id, local: V4, ports: 9..=8 }).await;
    assert_eq!(nothing, WantError::Io(ErrorKind::InvalidInput));
}

#[tokio::test]
async fn a_range_of_ports_is_used_up_before_it_is_called_taken() {
    let mut it = lodger().await;
    let ports = 23_410..=23_413;
    let mut got = Vec::new();
    for _ in ports.clone() {
        let ports = ports.clone();
        got.push(it.is_bound(|id| Want::Bind { id, local: V4, ports }).await.1.port());
    }
    got.sort_unstable();
    assert_eq!(got, [23_410, 23_411, 23_412, 23_413]);
    let error = it.fails(|id| Want::Bind { id, local: V4, ports }).await;
    assert_eq!(error, WantError::Io(ErrorKind::AddrInUse));
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_agreed() {
    // A listener that accepts TCP and never says a word of TLS.
    let silent = TcpListener::bind((V4, 0)).unwrap();
    let limits = Limits { connect: Duration::from_millis(200), ..Limits::default() };
    let mut it = Lodger::new(Options { limits, ..Options::default() }).await;
    let remote = silent.local_addr().unwrap();
    let start = Instant::now();
    let error = it
        .fails(|id| Want::Connect {
            id,
            transport: Transport::Tls,
            local: None,
            remote,
            server_name: Some("localhost".into()),
            framer,
        })
        .await;
    assert_eq!(error, WantError::TimedOut);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn an_errand_that_is_called_off_is_not_answered() {
    let silent = TcpListener::bind((V4, 0)).unwrap();
    let remote = silent.local_addr().unwrap();
    let mut it = lodger().await;
    let (transport, server_name) = (Transport::Tls, None);
    let id = it
        .wants(|id| Want::Connect { id, transport, local: None, remote, server_name, framer })
        .await;
    it.tell(Want::Close { id }).await;
    it.hears_nothing().await;
}
