//! Over streams: a relay that is reached by TCP or TLS, and TCP from host to host (RFC 6544).

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::peer::Kind::{Libnice, OursOnTokio};
use super::server::Server;
use super::{Role, Side, connect};
use crate::lab::{Lab, SERVER};

const OPEN: &[&str] = &["--left", "none", "--right", "none"];
const ROLES: [[Role; 2]; 2] =
    [[Role::Controlling, Role::Controlled], [Role::Controlled, Role::Controlling]];

/// Ours by the relay alone, and the other directly.
fn relayed(lab: &Lab, turn: &str, trust: &[&str], how: &str) {
    for [ours, theirs] in ROLES {
        let ours = Side::new(OursOnTokio, ours).relayed_by(turn).more(trust);
        let connected = connect(lab, &ours, &Side::new(Libnice, theirs));
        let [way, _] = connected.ways();
        assert_eq!((&*way.local.kind, &*way.remote.kind), ("relay", "host"), "{way:?}");
        assert!(connected.0[0].has_said(&format!("# a relay over {how}")));
    }
}

#[test]
fn our_relay_is_reached_by_tcp_and_tls() {
    let lab = Lab::up(OPEN);
    let server = Server::talkie(&lab);
    let tcp = format!("turn:{SERVER}:3478?transport=tcp,alice,wonder");
    relayed(&lab, &tcp, &[], "tcp");
    let tls = format!("turns:{SERVER}:5349,alice,wonder");
    relayed(&lab, &tls, &[&format!("trust={}", server.certificate())], "tls");
}

#[test]
fn coturn_is_reached_by_tcp() {
    let lab = Lab::up(OPEN);
    let _server = Server::coturn(&lab);
    let tcp = format!("turn:{SERVER}:3478?transport=tcp,alice,wonder");
    relayed(&lab, &tcp, &[], "tcp");
}

/// A certificate for the server by an authority that only this test knows; the files of both and of the key.
fn certificate(folder: &Path) -> [PathBuf; 3] {
    let [authority_key, key] = [(); 2].map(|()| KeyPair::generate().unwrap());
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let server = CertificateParams::new([SERVER.to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap();
    [
        ("authority.pem", authority_pem),
        ("certificate.pem", certificate.pem()),
        ("key.pem", key.serialize_pem()),
    ]
    .map(|(name, pem)| {
        let file = folder.join(name);
        std::fs::write(&file, pem).unwrap();
        file
    })
}

#[test]
fn coturn_is_reached_by_tls() {
    let lab = Lab::up(OPEN);
    let folder = tempfile::tempdir().unwrap();
    let [authority, certificate, key] = certificate(folder.path());
    let _server = Server::coturn_over_tls(&lab, &certificate, &key);
    let tls = format!("turns:{SERVER}:5349,alice,wonder");
    relayed(&lab, &tls, &[&format!("trust={}", authority.display())], "tls");
}

/// RFC 8489 §6.2.3: nothing is said to a server whose certificate nobody vouches for.
#[test]
fn a_relay_that_nobody_vouches_for_is_not_used() {
    let lab = Lab::up(OPEN);
    let folder = tempfile::tempdir().unwrap();
    let [_, certificate, key] = certificate(folder.path());
    let _server = Server::coturn_over_tls(&lab, &certificate, &key);
    let tls = format!("turns:{SERVER}:5349,alice,wonder");
    let ours = Side::new(OursOnTokio, Role::Controlling).with(&[tls]);
    let connected = connect(&lab, &ours, &Side::new(Libnice, Role::Controlled));
    let error = connected.0[0].hears("# CandidateError(");
    assert!(error.contains("code: 701") && error.contains("certificate"), "{error}");
}

#[test]
fn tcp_candidates_connect_to_libnice() {
    let lab = Lab::up(OPEN);
    for [ours, theirs] in ROLES {
        let ours = Side::new(OursOnTokio, ours).more(&["tcp"]);
        let theirs = Side::new(Libnice, theirs).more(&["--tcp"]);
        for way in connect(&lab, &ours, &theirs).ways() {
            assert!(way.local.transport.starts_with("tcp"), "{way:?}");
        }
    }
}
