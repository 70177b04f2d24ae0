//! What is to be said about this host's network and the NAT before it.

use std::net::IpAddr;

use super::Sight;
use super::findings::{Code, Finding, Severity};
use crate::report::{
    Allocation, Behaviour, Family, InterfaceKind, MtuSource, Nat, PortMapping, Report, Scope,
};

/// QUIC, DTLS and WebRTC count on 1280 bytes: IPv6 guarantees them (RFC 8200 §5).
const LEAST_MTU: u16 = 1280;
/// Tunnels and mobile networks lie below this; what is above needs no word.
const USUAL_MTU: u16 = 1400;
/// Programs send something at least every 25 s or so; RFC 4787 REQ-5 asks for two minutes.
const SHORT_LIFETIME_SECONDS: u64 = 30;

pub(super) fn findings(report: &Report, sight: &Sight) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(no_network(report, sight));
    found.extend(vpn(report));
    found.extend(proxy(report));
    found.extend(mtu(report));
    if !sight.local {
        found.extend(layers(report));
        found.extend(port_mapping(report, sight));
        found.extend(ipv6(report, sight));
        if let Some(nat) = report.nat() {
            found.extend(nat_findings(nat, &report.port_mapping));
        }
    }
    found.extend(server_limits(report, sight));
    found
}

fn no_network(report: &Report, sight: &Sight) -> Option<Finding> {
    if !report.host.routes.is_empty() || sight.answered {
        return None;
    }
    let detail = if report.host.interfaces.is_empty() {
        "No network interface is up."
    } else {
        "There are interfaces, but no route leads out."
    };
    Some(
        Finding::new(Code::NoNetwork, Severity::Bad, "This machine has no network", detail)
            .action("Plug in the cable or join a Wi-Fi network, and run this again."),
    )
}

fn vpn(report: &Report) -> Option<Finding> {
    let tunnelled = report.host.routes.iter().find_map(|route| {
        let interface = report.host.interface(route.interface.as_deref()?)?;
        (interface.kind == InterfaceKind::Tunnel).then_some(&interface.name)
    })?;
    Some(
        Finding::new(
            Code::Vpn,
            Severity::Caution,
            "All traffic goes through a VPN",
            format!(
                "The way to the Internet is the tunnel {tunnelled}. What NAT others see is the \
                 VPN's, and each packet makes the detour."
            ),
        )
        .action("For calls switch the VPN off, or exclude talkie from it (split tunnelling)."),
    )
}

fn proxy(report: &Report) -> Option<Finding> {
    let first = report.host.proxies.first()?;
    Some(
        Finding::new(
            Code::Proxy,
            Severity::Hint,
            "An HTTP proxy is set",
            format!(
                "{} is {}. Pages may go through it; calls and this examination do not.",
                first.variable, first.value
            ),
        )
        .action("Where nothing but the proxy leads out, ask its operator to let UDP out."),
    )
}

fn mtu(report: &Report) -> Option<Finding> {
    let mtu = report.mtu.filter(|mtu| mtu.bytes < USUAL_MTU)?;
    let (severity, detail) = if mtu.bytes < LEAST_MTU {
        (Severity::Bad, "Encrypted connections need 1280 bytes: handshakes will fail or take long.")
    } else {
        (Severity::Hint, "That is enough; programs that send larger packets will lose them.")
    };
    let what = match mtu.source {
        MtuSource::Interface => "The interface takes",
        _ => "The way to the server takes",
    };
    let title = format!("{what} packets of at most {} bytes", mtu.bytes);
    let finding = Finding::new(Code::SmallMtu, severity, title, detail);
    Some(if severity == Severity::Bad {
        finding.action("Look for a tunnel or VPN on the way, and raise its MTU to 1280 or more.")
    } else {
        finding
    })
}

/// More than one NAT: a carrier's, or a second router of one's own.
fn layers(report: &Report) -> Option<Finding> {
    let nat = report.nats.iter().find(|nat| nat.family == Family::Ipv4);
    let route = report.host.route(Family::Ipv4);
    // A VPN may give such addresses, too, and says nothing of the line.
    let tunnel = route.is_some_and(|route| {
        let interface = route.interface.as_deref().and_then(|it| report.host.interface(it));
        interface.is_some_and(|it| it.kind == InterfaceKind::Tunnel)
    });
    let own = route.filter(|_| !tunnel).map(|route| Scope::of(route.source));
    let router = report.port_mapping.external();
    let mapped = nat.and_then(|nat| nat.mapped).map(|mapped| mapped.ip());
    if own == Some(Scope::Shared) || router.map(Scope::of) == Some(Scope::Shared) {
        return Some(
            Finding::new(
                Code::CarrierNat,
                Severity::Caution,
                "Your provider puts a NAT before your line (CGNAT)",
                match router {
                    Some(router) => format!(
                        "The router's outside address is {router}, of the range for carriers (RFC \
                         6598). Ports that the router opens lead nowhere."
                    ),
                    None => {
                        "This machine's address is of the range for carriers (RFC 6598).".to_owned()
                    }
                },
            )
            .action(
                "Use IPv6, or ask the provider for a public IPv4 address; else a relay is needed \
                 with some.",
            ),
        );
    }
    let (router, mapped): (IpAddr, IpAddr) = (router?, mapped?);
    let same_side = Scope::of(router) == Scope::Private || router != mapped;
    same_side.then(|| {
        Finding::new(
            Code::DoubleNat,
            Severity::Caution,
            "Two routers translate one after the other",
            format!(
                "The router's outside address is {router}, and others see {mapped}. Ports that \
                 the router opens lead only to the second one."
            ),
        )
        .action("Put one of the two into bridge mode, or let the first forward to the second.")
    })
}

fn port_mapping(report: &Report, sight: &Sight) -> Option<Finding> {
    if !sight.answered || report.port_mapping.gateway.is_none() {
        return None;
    }
    let translated = report.nat().and_then(|nat| nat.translates) == Some(true);
    if report.port_mapping.is_offered() {
        return Some(Finding::new(
            Code::PortMapping,
            Severity::Good,
            "The router can open ports when asked",
            format!(
                "It speaks {}. It was only asked; no port was opened.",
                report.port_mapping.protocols().join(", ")
            ),
        ));
    }
    translated.then(|| {
        let refused = !report.port_mapping.protocols().is_empty();
        let detail = if refused {
            "It knows how, and refuses."
        } else {
            "It speaks neither UPnP nor NAT-PMP nor PCP, or they are switched off."
        };
        Finding::new(
            Code::NoPortMapping,
            Severity::Hint,
            "The router opens no ports when asked",
            detail,
        )
    })
}

fn ipv6(report: &Report, sight: &Sight) -> Option<Finding> {
    let of = |family| report.host.reach.iter().find(|reach| reach.family == family);
    let v6 = of(Family::Ipv6)?;
    if v6.routed && report.host.route(Family::Ipv4).is_none() {
        return Some(Finding::new(
            Code::Ipv6Only,
            Severity::Hint,
            "This network has IPv6 only",
            "Others who have only IPv4 are reached through a relay that has both.",
        ));
    }
    if !sight.answered {
        return None;
    }
    match (v6.routed, v6.reached) {
        (true, Some(true)) => Some(Finding::new(
            Code::Ipv6,
            Severity::Good,
            "IPv6 works",
            "With others who have IPv6 no NAT stands between; firewalls open like a \
             port-restricted NAT.",
        )),
        (true, Some(false)) => Some(
            Finding::new(
                Code::Ipv6,
                Severity::Caution,
                "IPv6 leads nowhere",
                "There is a route, and no server answered over IPv6. Connections lose time trying.",
            )
            .action("Repair IPv6 in the router, or switch it off."),
        ),
        (false, _) => Some(
            Finding::new(
                Code::Ipv6,
                Severity::Hint,
                "There is no IPv6",
                "With IPv6 on both sides no NAT is in the way.",
            )
            .action("Switch on IPv6 in the router, if the provider has it."),
        ),
        (true, None) => None,
    }
}

fn nat_findings(nat: &Nat, ports: &PortMapping) -> Vec<Finding> {
    let mut found = Vec::new();
    if nat.translates != Some(false) && is_symmetric(nat) {
        found.push(symmetric(nat, ports));
    }
    if nat.alg == Some(true) {
        found.push(
            Finding::new(
                Code::AddressRewriting,
                Severity::Caution,
                "Something rewrites addresses inside of packets (an ALG)",
                "It means well, and breaks programs that say their address themselves.",
            )
            .action("Switch off SIP ALG and similar helpers in the router."),
        );
    }
    if let Some(short) = nat.lifetime.and_then(|it| it.less_than)
        && short.0.as_secs() <= SHORT_LIFETIME_SECONDS
    {
        found.push(
            Finding::new(
                Code::ShortLifetime,
                Severity::Caution,
                format!("The router forgets an idle connection within {} s", short.0.as_secs()),
                "RFC 4787 asks for two minutes at least. Programs that are silent for so long lose \
                 their connection.",
            )
            .action("Raise the time-out for UDP in the router."),
        );
    }
    if nat.pooled == Some(false) {
        found.push(Finding::new(
            Code::SeveralAddresses,
            Severity::Caution,
            "Connections leave from several outside addresses",
            "What a STUN server saw may not be the address that others meet: direct connections \
             fail at times.",
        ));
    }
    if nat.fragments == Some(false) {
        found.push(Finding::new(
            Code::Fragments,
            Severity::Hint,
            "Packets in fragments are lost",
            "Calls don't send such; DNS and some VPNs do.",
        ));
    }
    if nat.hairpin == Some(false) && nat.translates == Some(true) {
        found.push(Finding::new(
            Code::NoHairpin,
            Severity::Hint,
            "Two machines behind this router don't meet by its outside address (no hairpinning)",
            "They meet by their addresses inside, where programs tell these to each other.",
        ));
    }
    found
}

fn is_symmetric(nat: &Nat) -> bool {
    matches!(nat.mapping, Some(Behaviour::AddressDependent | Behaviour::AddressAndPortDependent))
        || nat.port_dependent == Some(true)
}

fn symmetric(nat: &Nat, ports: &PortMapping) -> Finding {
    let pattern = match nat.allocation {
        Some(Allocation::Sequential) => {
            " The ports follow each other, so that they can be guessed."
        }
        Some(Allocation::Random) => " The ports are chosen at random.",
        _ => "",
    };
    let finding = Finding::new(
        Code::SymmetricNat,
        Severity::Caution,
        "The NAT takes another port for each destination (symmetric)",
        format!(
            "No direct connection with others behind symmetric or port-restricted NATs, and the \
             latter are the most.{pattern}"
        ),
    );
    finding.action(if ports.is_offered() {
        "The router opens ports when asked: let the program do that, or use IPv6."
    } else {
        "In the router: look for a NAT mode (\"full cone\", \"endpoint-independent\"), switch on \
         UPnP or PCP, or use IPv6. Mobile and company networks: a relay stays necessary."
    })
}

/// What the server could not tell.
fn server_limits(report: &Report, sight: &Sight) -> Option<Finding> {
    let nat = report.nat()?;
    if sight.local {
        return Some(
            Finding::new(
                Code::ServerNear,
                Severity::Hint,
                "The server is on this machine or in this network",
                "What stands between here and the Internet cannot be seen from there.",
            )
            .action("Name a server on the Internet: --server https://HOST or --server stun:HOST."),
        );
    }
    let limits: Vec<_> = ["mapping", "filtering"]
        .into_iter()
        .filter_map(|what| Some(format!("{what}: {}", nat.unknown.get(what)?)))
        .collect();
    if limits.is_empty() {
        return None;
    }
    Some(
        Finding::new(
            Code::ServerLimited,
            Severity::Hint,
            "The server could not tell all about the NAT",
            format!("{}.", limits.join("; ")),
        )
        .action(
            "Name a second server on another host, or one with two addresses (talkie serve \
             --alternate-ip).",
        ),
    )
}
