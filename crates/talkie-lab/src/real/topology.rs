//! The cables, addresses and routes of a lab, as lines for `ip -batch`.
//!
//! In a `-nat` namespace the card `lan` leads to the host and `wan` to the Internet. Where talkie
//! translates, two more devices, `inside` and `outside`, lead to the process that does it; rules send
//! whatever comes in at `lan` to `inside` and whatever comes in at `wan` to `outside`, and what the
//! process sends goes its way by the ordinary routes.

use std::fmt::Write as _;

use super::addresses::{
    Addresses, Host, SERVER, SERVER_GATEWAY, SERVER_GATEWAY_V6, SERVER_SECOND, SERVER_V6,
};
use super::namespace::Name;
use super::plan::{Kind, Plan};

/// The host behind a NAT, and the NAT.
pub(super) const SIDES: [(Host, Host); 2] =
    [(Host::Left, Host::LeftNat), (Host::Right, Host::RightNat)];

/// Makes the namespaces.
pub(super) fn namespaces(name: &Name) -> String {
    Host::all().fold(String::new(), |mut lines, host| {
        let _ = writeln!(lines, "netns add {}", name.namespace(host));
        lines
    })
}

/// Connects them.
pub(super) fn cables(name: &Name) -> String {
    let cables = [
        (Host::Left, "eth0", Host::LeftNat, "lan"),
        (Host::LeftNat, "wan", Host::Internet, "left"),
        (Host::Server, "eth0", Host::Internet, "server"),
        (Host::RightNat, "wan", Host::Internet, "right"),
        (Host::Right, "eth0", Host::RightNat, "lan"),
    ];
    cables.iter().fold(String::new(), |mut lines, (one, card, other, peer)| {
        let (one, other) = (name.namespace(*one), name.namespace(*other));
        let _ =
            writeln!(lines, "link add {card} netns {one} type veth peer name {peer} netns {other}");
        lines
    })
}

/// What is set up within the namespace of `host`, apart from a box's own devices.
pub(super) fn within(plan: &Plan, host: Host) -> String {
    let mut lines = String::from("link set lo up\n");
    match host {
        Host::Left | Host::Right => end(plan, &Addresses::of(plan, host), &mut lines),
        Host::LeftNat | Host::RightNat => nat(plan, &Addresses::of(plan, host), &mut lines),
        Host::Server => server(plan, &mut lines),
        Host::Internet => internet(plan, &mut lines),
    }
    lines
}

/// Puts a box's own devices to use, without an address of their own from which the kernel would speak.
pub(super) const DEVICES_UP: &str =
    "link set inside addrgenmode none up\nlink set outside addrgenmode none up\n";

/// All that is routed, in both families: what is said to neighbours is none of the box's business.
pub(super) const ROUTED: &str = "0.0.0.0/0";
pub(super) const ROUTED_V6: &str = "2000::/3";

/// What leads to a box's process, once it has made its devices; for each family anew.
pub(super) fn around_the_box(routed: &str) -> String {
    let mut lines = String::new();
    for (from, device, table) in [("lan", "inside", 100), ("wan", "outside", 101)] {
        let _ = writeln!(lines, "rule add iif {from} lookup {table} priority {table}");
        let _ = writeln!(lines, "route add {routed} dev {device} table {table}");
    }
    lines
}

fn end(plan: &Plan, at: &Addresses, lines: &mut String) {
    let Addresses { host, gateway, prefix, v6, .. } = at;
    let _ = write!(
        lines,
        "address add {host}/{prefix} dev eth0\n\
         link set eth0 up\n\
         route add default via {gateway}\n"
    );
    if plan.ipv6 {
        let _ = write!(
            lines,
            "address add {}/64 dev eth0 nodad\nroute add ::/0 via {}\n",
            v6.host, v6.gateway
        );
    }
}

fn nat(plan: &Plan, at: &Addresses, lines: &mut String) {
    let Addresses { gateway, prefix, uplink, provider, v6, .. } = at;
    // The kernel translates to an address of its own; talkie's box has those that it translates to for
    // itself, and the namespace another one.
    let own = match (plan.kind, at.outside.first()) {
        (Kind::Kernel, Some(outside)) => *outside,
        _ => (*uplink).into(),
    };
    let _ = write!(
        lines,
        "address add {gateway}/{prefix} dev lan\n\
         address add {own}/25 dev wan\n\
         link set lan up\n\
         link set wan up\n\
         route add default via {provider}\n"
    );
    if plan.ipv6 {
        let _ = write!(
            lines,
            "address add {}/64 dev lan nodad\naddress add {}/64 dev wan nodad\n\
             route add ::/0 via {}\n",
            v6.gateway, v6.uplink, v6.provider
        );
    }
}

fn server(plan: &Plan, lines: &mut String) {
    let _ = write!(
        lines,
        "address add {SERVER}/24 dev eth0\n\
         address add {SERVER_SECOND}/24 dev eth0\n\
         link set eth0 up\n\
         route add default via {SERVER_GATEWAY}\n"
    );
    if plan.ipv6 {
        let _ = write!(
            lines,
            "address add {SERVER_V6}/64 dev eth0 nodad\nroute add ::/0 via {SERVER_GATEWAY_V6}\n"
        );
    }
}

fn internet(plan: &Plan, lines: &mut String) {
    let _ = write!(lines, "address add {SERVER_GATEWAY}/24 dev server\nlink set server up\n");
    if plan.ipv6 {
        let _ = writeln!(lines, "address add {SERVER_GATEWAY_V6}/64 dev server nodad");
    }
    for (_, nat) in SIDES {
        let at = Addresses::of(plan, nat);
        let device = if nat == Host::LeftNat { "left" } else { "right" };
        let _ =
            write!(lines, "address add {}/25 dev {device}\nlink set {device} up\n", at.provider);
        if at.outside.is_empty() {
            let _ = writeln!(lines, "route add {}/{} via {}", network(&at), at.prefix, at.uplink);
        } else if plan.kind == Kind::Tun {
            for outside in &at.outside {
                let _ = writeln!(lines, "route add {outside}/32 via {}", at.uplink);
            }
        }
        if plan.ipv6 {
            let V6Route { prefix, via } = v6_route(&at);
            let _ = write!(
                lines,
                "address add {}/64 dev {device} nodad\nroute add {prefix}/64 via {via}\n",
                at.v6.provider
            );
        }
    }
    // Private addresses are nobody's out here: what is sent to them vanishes without a word, as it
    // mostly does, instead of failing at the sender at once.
    lines.push_str("route add blackhole default\n");
}

/// The network of a host that keeps its address.
fn network(at: &Addresses) -> std::net::Ipv4Addr {
    let mask = u32::MAX << (32 - u32::from(at.prefix));
    (at.host.to_bits() & mask).into()
}

struct V6Route {
    prefix: std::net::Ipv6Addr,
    via: std::net::Ipv6Addr,
}

fn v6_route(at: &Addresses) -> V6Route {
    V6Route { prefix: (at.v6.host.to_bits() >> 64 << 64).into(), via: at.v6.uplink }
}

/// Kernel settings of the namespace of `host`: files below `/proc/sys/net`, and what is written there.
pub(super) fn settings(plan: &Plan, host: Host) -> Vec<(&'static str, &'static str)> {
    // The path back need not be the path there: packets come out of the box where others went in.
    let mut settings = vec![("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/default/rp_filter", "0")];
    if plan.ipv6 {
        // Nobody else can have an address of a lab, and looking for them takes seconds.
        settings.push(("ipv6/conf/all/accept_dad", "0"));
        settings.push(("ipv6/conf/default/accept_dad", "0"));
    } else {
        // Else hosts have link-local addresses, which browsers take for candidates.
        settings.push(("ipv6/conf/all/disable_ipv6", "1"));
        settings.push(("ipv6/conf/default/disable_ipv6", "1"));
    }
    if !matches!(host, Host::Left | Host::Right | Host::Server) {
        settings.push(("ipv4/ip_forward", "1"));
        settings.push(("ipv4/conf/all/send_redirects", "0"));
        if plan.ipv6 {
            settings.push(("ipv6/conf/all/forwarding", "1"));
        }
    }
    settings
}
