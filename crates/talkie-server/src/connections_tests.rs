use super::*;

fn limits() -> ConnectionLimits {
    ConnectionLimits {
        total: 6,
        per_address: 4,
        half_open: 3,
        half_open_per_address: 2,
        ..ConnectionLimits::default()
    }
}

fn connections() -> Arc<Connections> {
    Connections::new(limits(), Proxies::new(&["198.51.100.0/24".parse().unwrap()]))
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn is_evicted(eviction: &mut Eviction) -> bool {
    eviction.0.try_recv().is_ok()
}

#[test]
fn the_oldest_half_open_connection_of_an_address_gives_way() {
    let connections = connections();
    let (_a, mut first) = connections.admit(ip(1)).unwrap();
    let (_b, mut second) = connections.admit(ip(1)).unwrap();
    let (_c, mut third) = connections.admit(ip(1)).unwrap();
    assert!(is_evicted(&mut first));
    assert!(!is_evicted(&mut second) && !is_evicted(&mut third));
    assert_eq!(connections.counts().open, 2);
}

#[test]
fn many_addresses_push_out_the_oldest_half_open_one_but_no_established_one() {
    let connections = connections();
    let (a, mut established) = connections.admit(ip(1)).unwrap();
    a.established();
    let mut held: Vec<_> = (2..=4).map(|last| connections.admit(ip(last)).unwrap()).collect();
    held.push(connections.admit(ip(5)).unwrap());
    assert!(is_evicted(&mut held[0].1));
    assert!(!is_evicted(&mut established));
    let counts = connections.counts();
    assert_eq!((counts.open, counts.half_open, counts.evicted), (4, 3, 1));
}

#[test]
fn one_address_cannot_have_more_than_its_share() {
    let connections = connections();
    let held: Vec<_> = (0..4)
        .map(|_| {
            let (admission, _) = connections.admit(ip(1)).unwrap();
            admission.established();
            admission
        })
        .collect();
    assert!(connections.admit(ip(1)).is_none());
    assert!(connections.admit(ip(2)).is_some());
    drop(held);
    assert!(connections.admit(ip(1)).is_some());
    assert_eq!(connections.counts().refused, 1);
}

#[test]
fn who_comes_too_fast_pushes_nobody_out() {
    let limits = ConnectionLimits { arrival_burst: 2, arrivals_per_second: 1, ..limits() };
    let connections = Connections::new(limits, Proxies::new(&["198.51.100.0/24".parse().unwrap()]));
    let mut held: Vec<_> = [1, 1, 2].map(|last| connections.admit(ip(last)).unwrap()).into();
    for _ in 0..9 {
        assert!(connections.admit(ip(1)).is_none());
    }
    assert!(!held.iter_mut().any(|(_, eviction)| is_evicted(eviction)));
    let counts = connections.counts();
    assert_eq!((counts.open, counts.refused, counts.too_fast), (3, 0, 9));
    // A proxy brings all clients.
    drop(held);
    for _ in 0..9 {
        assert!(connections.admit(IpAddr::from([198, 51, 100, 1])).is_some());
    }
}

#[test]
fn all_places_come_back() {
    let connections = connections();
    for round in 0..50 {
        let (admission, _eviction) = connections.admit(ip(round % 3)).unwrap();
        if round % 2 == 0 {
            admission.established();
        }
    }
    let state = connections.state();
    assert!(state.live.is_empty() && state.per_address.is_empty());
    assert!(state.half_open.is_empty() && state.half_open_per_address.is_empty());
}

#[test]
fn what_a_proxy_brings_counts_for_its_clients() {
    let connections = connections();
    let proxy = IpAddr::from([198, 51, 100, 1]);
    // More than one address may have half open: the proxy is not one.
    let mut held: Vec<_> = (0..3).map(|_| connections.admit(proxy).unwrap()).collect();
    assert!(!held.iter_mut().any(|(_, eviction)| is_evicted(eviction)));
    for (admission, _) in &held {
        admission.established();
        assert!(admission.belongs_to(ip(1)));
    }
    held.extend([(); 2].map(|()| connections.admit(proxy).unwrap()));
    assert!(held[3].0.belongs_to(ip(1)));
    assert!(!held[4].0.belongs_to(ip(1)), "it has its four");
    assert!(connections.admit(ip(1)).is_none(), "by whatever way it comes");
    assert!(held[4].0.belongs_to(ip(2)));
    // The connection goes on with another client's request.
    assert!(held[0].0.belongs_to(ip(2)));
    assert!(held[4].0.belongs_to(ip(1)));
    assert_eq!(connections.counts().refused, 2);
    drop(held);
    let state = connections.state();
    assert!(state.live.is_empty() && state.per_address.is_empty());
    assert!(state.half_open.is_empty() && state.half_open_per_address.is_empty());
}
