use super::*;

fn config(dir: &Path) -> Config {
    Config { data_dir: dir.join("data"), ..Config::default() }
}

#[test]
fn a_certificate_is_made_once_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let address = ["192.0.2.1".parse().unwrap()];
    let first = Certificates::load(&config, &address).unwrap().report();
    assert!(first.self_signed);
    let days = first.not_after.duration_since(SystemTime::now()).unwrap().as_secs() / 86_400;
    assert!((800..825).contains(&days), "{days}");
    // Another address doesn't change what people have accepted.
    let second = Certificates::load(&config, &["192.0.2.2".parse().unwrap()]).unwrap().report();
    assert_eq!(first, second);
}

#[test]
#[cfg(unix)]
fn the_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    Certificates::load(&config, &[]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&config.data_dir), 0o700);
    assert_eq!(mode(&config.data_dir.join("certificate.key")), 0o600);
}

#[test]
fn a_spoiled_certificate_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let first = Certificates::load(&config, &[]).unwrap().report();
    fs::write(config.data_dir.join("certificate.key"), "nonsense").unwrap();
    let second = Certificates::load(&config, &[]).unwrap().report();
    assert_ne!(first.sha256, second.sha256);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (config(&dir.path().join("1")), config(&dir.path().join("2")));
    for config in [&one, &two] {
        Certificates::load(config, &[]).unwrap();
    }
    let files = TlsFiles {
        cert: one.data_dir.join("certificate.pem"),
        key: two.data_dir.join("certificate.key"),
    };
    let mixed = Config { tls: Some(files.clone()), ..Config::default() };
    let error = Certificates::load(&mixed, &[]).unwrap_err();
    assert!(matches!(error, CertificateError::Unusable { .. }), "{error}");
    let swapped = TlsFiles { cert: files.key.clone(), key: files.key };
    let swapped = Config { tls: Some(swapped), ..Config::default() };
    let error = Certificates::load(&swapped, &[]).unwrap_err();
    assert!(matches!(error, CertificateError::NoCertificate(_)), "{error}");
}

#[test]
fn the_names_hold_this_host_and_no_duplicates() {
    let names = own::names(["127.0.0.1".parse().unwrap(), "192.0.2.9".parse().unwrap()].iter());
    assert_eq!(names.iter().filter(|name| *name == "127.0.0.1").count(), 1);
    for wanted in ["localhost", "::1", "192.0.2.9"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted}");
    }
}
