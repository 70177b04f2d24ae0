//! Names of the local network over real multicast: two programs on one host that share the port.

use std::net::IpAddr;
use std::time::Duration;

use talkie_net::driver::Running;
use talkie_net::genesis;
use talkie_net::host::{self, Options};
use talkie_traversal::mdns::{Config, Event, Mdns, Why};
use tokio::time::timeout;

use crate::host_network::{alone, ip};

/// Longer than a name is asked for.
const LONG: Duration = Duration::from_secs(15);

fn start() -> Running<Mdns> {
    let config = Config { patience: Duration::from_secs(3), ..Config::default() };
    let mdns = Mdns::new(&genesis().unwrap(), config);
    host::spawn(mdns, Options::default()).unwrap()
}

async fn name(of: &Running<Mdns>, address: IpAddr) -> String {
    of.handle.call(move |mdns, now| mdns.register(now, address).unwrap()).await.unwrap()
}

async fn resolve(by: &mut Running<Mdns>, name: &str) -> Event {
    let asked = name.to_owned();
    by.handle.call(move |mdns, now| mdns.resolve(now, &asked).unwrap()).await.unwrap();
    loop {
        match timeout(LONG, by.events.recv()).await.expect("in time").unwrap() {
            Event::Unavailable { .. } => {}
            event => return event,
        }
    }
}

#[test]
fn a_name_is_found_over_real_multicast() {
    alone("mdns::a_name_is_found");
}

#[tokio::test]
#[ignore = "run by the test above, in a namespace"]
async fn a_name_is_found() {
    ip("addr add 10.77.0.1/24 dev near");
    ip("addr add fd77::1/64 dev near nodad");
    let (ada, mut grace) = (start(), start());
    for address in ["10.77.0.1", "fd77::1"] {
        let address: IpAddr = address.parse().unwrap();
        let name = name(&ada, address).await;
        let addresses = vec![address];
        let event = resolve(&mut grace, &name).await;
        assert_eq!(event, Event::Resolved { name: name.clone(), addresses });
        // Taken back, it is nobody's.
        ada.handle.call(move |mdns, now| mdns.unregister(now, address)).await.unwrap();
        let event = resolve(&mut grace, &name).await;
        assert_eq!(event, Event::Unresolved { name, why: Why::NoAnswer });
    }
}
