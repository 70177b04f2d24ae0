//! What [`Preset::description`](super::Preset::description) says.

pub(super) const FULL_CONE: &str = "An inside port has one outside port, whomever it talks to. \
     Anybody who learns of that port can send in as long as the mapping lasts. \
     It is the easiest NAT to reach, found in some home routers and in games consoles' \
     \"open\" mode.";

pub(super) const ADDRESS_RESTRICTED: &str = "An inside port has one outside port, whomever it talks to. \
     Only hosts that were sent to can send in, from any of their ports. \
     Two such NATs meet as soon as both have sent one packet.";

pub(super) const PORT_RESTRICTED: &str = "An inside port has one outside port, whomever it talks to. \
     Only the very address and port that was sent to can send in. \
     Most homes are like this, and hole punching was made for it.";

pub(super) const SYMMETRIC: &str = "Each remote address and port sees another outside port, chosen at random. \
     What a STUN server sees is of no use to anybody else, and only the remote that was \
     sent to can answer. \
     Offices and some mobile networks have it; with another one, or with a \
     port-restricted one, a relay is needed.";

pub(super) const LINUX_MASQUERADE: &str = "Linux with nothing but a masquerade rule keeps the port's number for every remote, so \
     it looks like a port-restricted cone. \
     But a packet that comes uninvited is tracked as a flow of the box itself, and who \
     sends to that remote afterwards is given another port. \
     So hole punching works for the side that sends first and often fails for the \
     other; servers, containers and phones that share their network are like this.";

pub(super) const LINUX_FIREWALLED: &str = "Linux with a masquerade rule and a firewall that drops what comes uninvited, as \
     OpenWrt and most routers built on Linux have it. \
     A dropped packet is not tracked, so the port keeps its number for every remote; \
     where two hosts want the same port for the same remote, one is given another and keeps that. \
     For hole punching it is a port-restricted cone.";

pub(super) const LINUX_RANDOM_FULLY: &str = "Linux with masquerade and --random-fully picks a random port for each flow. \
     That makes it symmetric: what a STUN server sees is of no use to others. \
     Kubernetes nodes and some container hosts are set up like this.";

pub(super) const HOME_ROUTER: &str = "A router by the book of RFC 4787 and RFC 7857: one outside port for each inside port, \
     whose number is kept where it can be. \
     Only who was sent to can send in, packets from either side keep the mapping alive, \
     and neighbours reach each other by their outside addresses (hairpinning). \
     Good home routers are like this.";

pub(super) const HOME_FORGETFUL: &str = "A port-restricted router that forgets a mapping after 30 seconds in which nothing was \
     sent from inside. \
     What comes in does not keep it open, so who only listens is soon cut off. \
     Old and cheap home routers do this; keepalives every 15 to 25 seconds get along with \
     it.";

pub(super) const HOME_SEQUENTIAL: &str = "Each remote address and port sees another outside port, always the next one. \
     It is symmetric, but who has seen two ports can guess the third. \
     Some home routers and firewalls number their flows like this.";

pub(super) const ADDRESS_DEPENDENT: &str = "Each remote address sees another outside port, which is the same for all ports of \
     that address. \
     Only hosts that were sent to can send in, from any of their ports. \
     It is rare, and classic tests with one server address take it for a cone.";

pub(super) const CGNAT: &str = "A provider's NAT much as RFC 6888 wants it: a pool of outside addresses, of which each \
     customer keeps one, and random ports that are the same for all remotes. \
     Only who was sent to can send in, which is stricter than the RFC, and customers of one \
     provider reach each other by hairpinning. \
     It often stands behind a home router, so that there are two NATs in a row.";

pub(super) const CGNAT_SYMMETRIC: &str = "A provider's NAT that gives each remote another outside port and even another of its \
     outside addresses. \
     Nothing that one remote sees can be told to another. \
     Some mobile networks are like this; calls over them are relayed unless the other side \
     is open.";

pub(super) const FIREWALL: &str = "Addresses and ports stay what they are: nothing is translated. \
     Only the address and port that was sent to can send in. \
     IPv6 at home is usually like this, and hole punching works through it unless the other \
     side is symmetric.";

pub(super) const UDP_BLOCKED: &str = "No UDP gets through in either direction; TCP goes through a port-restricted NAT. \
     Hole punching has nothing to send, so calls go over a relay by TCP or TLS. \
     Strict company and hotel networks are like this.";
