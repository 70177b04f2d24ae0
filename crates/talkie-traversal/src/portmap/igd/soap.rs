//! The actions of the service that maps ports, and what it answers (WANIPConnection:1 §2.4,
//! WANIPConnection:2 §2.5, over SOAP as in UPnP Device Architecture 1.1, §3).

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::parse;
use crate::portmap::{Reason, seconds};

/// What is asked of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `GetExternalIPAddress` (§2.4.18). Changes nothing.
    ExternalAddress,
    /// `AddPortMapping` (§2.4.16) for UDP, whoever sends; also prolongs one that is there.
    Add {
        /// Inside.
        internal: SocketAddrV4,
        /// The port outside.
        external: u16,
        /// For how long.
        lease: Duration,
    },
    /// `DeletePortMapping` (§2.4.17) for UDP.
    Delete {
        /// The port outside.
        external: u16,
    },
}

impl Action {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExternalAddress => "GetExternalIPAddress",
            Self::Add { .. } => "AddPortMapping",
            Self::Delete { .. } => "DeletePortMapping",
        }
    }

    /// The value of the field `SOAPAction`. `service` is from a [`Description`](super::Description).
    #[must_use]
    pub fn field(self, service: &str) -> String {
        format!("\"{service}#{}\"", self.name())
    }

    /// The request's body.
    #[must_use]
    pub fn body(self, service: &str) -> String {
        let name = self.name();
        let arguments = self.arguments();
        format!(
            "<?xml version=\"1.0\"?><s:Envelope \
             xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>\
             <u:{name} xmlns:u=\"{service}\">{arguments}</u:{name}></s:Body></s:Envelope>"
        )
    }

    /// In the order of the standard, which some gateways insist on.
    fn arguments(self) -> String {
        match self {
            Self::ExternalAddress => String::new(),
            Self::Add { internal, external, lease } => format!(
                "<NewRemoteHost></NewRemoteHost><NewExternalPort>{external}</NewExternalPort>\
                 <NewProtocol>UDP</NewProtocol><NewInternalPort>{}</NewInternalPort>\
                 <NewInternalClient>{}</NewInternalClient><NewEnabled>1</NewEnabled>\
                 <NewPortMappingDescription>talkie</NewPortMappingDescription>\
                 <NewLeaseDuration>{}</NewLeaseDuration>",
                internal.port(),
                internal.ip(),
                seconds(lease),
            ),
            Self::Delete { external } => format!(
                "<NewRemoteHost></NewRemoteHost><NewExternalPort>{external}</NewExternalPort>\
                 <NewProtocol>UDP</NewProtocol>"
            ),
        }
    }
}

/// The address in an answer to [`Action::ExternalAddress`]; `Some(None)` if the gateway has none.
#[must_use]
pub fn external_address(text: &str) -> Option<Option<Ipv4Addr>> {
    let text = element(text, "NewExternalIPAddress")?;
    if text.is_empty() {
        return Some(None);
    }
    let address: Ipv4Addr = text.parse().ok()?;
    Some((!address.is_unspecified()).then_some(address))
}

/// Whether it is an answer to `action` that reports success.
#[must_use]
pub fn is_response(text: &str, action: Action) -> bool {
    parse(text).is_some_and(|document| {
        let wanted = format!("{}Response", action.name());
        document.descendants().any(|node| node.tag_name().name() == wanted)
    })
}

/// The code in an answer that reports an error (UPnP Device Architecture 1.1, §3.2.2).
#[must_use]
pub fn error_code(text: &str) -> Option<u16> {
    element(text, "errorCode")?.parse().ok()
}

/// `ConflictInMappingEntry`: the port outside is somebody else's. `ConflictWithOtherMechanisms` is the
/// same for mappings that were made otherwise.
pub(super) fn is_conflict(code: u16) -> bool {
    matches!(code, 718 | 729)
}

/// What an error means (WANIPConnection:2 §2.5.16).
pub(super) fn reason(code: u16) -> Reason {
    match code {
        // Invalid action, optional action not implemented.
        401 | 602 => Reason::Unsupported,
        // Action not authorized.
        606 => Reason::Refused(code),
        // OnlyPermanentLeasesSupported.
        725 => Reason::Permanent,
        _ => Reason::Failed(code),
    }
}

/// The text of the first element with that name.
fn element(text: &str, name: &str) -> Option<String> {
    let document = parse(text)?;
    let node = document.descendants().find(|node| node.tag_name().name() == name)?;
    Some(node.text().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

    fn answer(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <s:Body>{inner}</s:Body></s:Envelope>"
        )
    }

    #[test]
    fn a_request_for_a_mapping_has_the_standard_s_arguments_in_order() {
        let internal = "192.168.1.5:5000".parse().unwrap();
        let add = Action::Add { internal, external: 6000, lease: Duration::from_secs(600) };
        let body = add.body(SERVICE);
        let document = roxmltree::Document::parse(&body).unwrap();
        let action = document.descendants().find(|it| it.tag_name().name() == "AddPortMapping");
        let arguments = action.unwrap().children();
        let arguments: Vec<_> =
            arguments.map(|it| (it.tag_name().name(), it.text().unwrap_or_default())).collect();
        assert_eq!(
            arguments,
            [
                ("NewRemoteHost", ""),
                ("NewExternalPort", "6000"),
                ("NewProtocol", "UDP"),
                ("NewInternalPort", "5000"),
                ("NewInternalClient", "192.168.1.5"),
                ("NewEnabled", "1"),
                ("NewPortMappingDescription", "talkie"),
                ("NewLeaseDuration", "600"),
            ]
        );
        assert_eq!(add.field(SERVICE), format!("\"{SERVICE}#AddPortMapping\""));
    }

    #[test]
    fn addresses_are_read_and_so_is_that_there_is_none() {
        let address = |text: &str| {
            external_address(&answer(&format!(
                "<u:GetExternalIPAddressResponse xmlns:u=\"{SERVICE}\"><NewExternalIPAddress>{text}\
                 </NewExternalIPAddress></u:GetExternalIPAddressResponse>"
            )))
        };
        assert_eq!(address(" 203.0.113.9 "), Some(Some([203, 0, 113, 9].into())));
        assert_eq!(address("0.0.0.0"), Some(None));
        assert_eq!(address(""), Some(None));
        assert_eq!(address("nonsense"), None);
        assert_eq!(external_address("nonsense"), None);
    }

    #[test]
    fn success_and_errors_are_told_apart() {
        let delete = Action::Delete { external: 1 };
        let good = answer(&format!("<u:DeletePortMappingResponse xmlns:u=\"{SERVICE}\"/>"));
        assert!(is_response(&good, delete));
        assert!(!is_response(&good, Action::ExternalAddress));
        assert_eq!(error_code(&good), None);
        let bad = answer(
            "<s:Fault><faultcode>s:Client</faultcode><detail><UPnPError \
             xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>725</errorCode></UPnPError></detail>\
             </s:Fault>",
        );
        assert!(!is_response(&bad, delete));
        assert_eq!(error_code(&bad), Some(725));
        assert_eq!(reason(725), Reason::Permanent);
        assert_eq!(reason(606), Reason::Refused(606));
        assert_eq!(reason(501), Reason::Failed(501));
    }
}
