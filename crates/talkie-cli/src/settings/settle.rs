//! Settings that only mean something together, after each has been read alone.

use std::path::Path;

use talkie_server::TlsFiles;

use super::table::SETTINGS;
use super::value::{Invalid, secret as parse_secret};
use super::{Options, Origin, SettingsError};

/// A certificate needs its key and the other way round.
pub(super) fn tls(options: &mut Options) -> Result<(), SettingsError> {
    let missing = |given, other| {
        let text = format!("--{given} is set and --{other} is not: a certificate needs its key");
        Err(SettingsError::Conflict(text))
    };
    options.server.tls = match (options.tls_cert.clone(), options.tls_key.clone()) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (Some(_), None) => return missing("tls-cert", "tls-key"),
        (None, Some(_)) => return missing("tls-key", "tls-cert"),
        (None, None) => None,
    };
    Ok(())
}

/// The secret comes from a value or from a file, whichever was set in the stronger place.
pub(super) fn secret(options: &mut Options, origins: &[Origin]) -> Result<(), SettingsError> {
    let Some(path) = options.turn_secret_file.clone() else {
        return Ok(());
    };
    let (value, file) = (rank("turn-secret", origins), rank("turn-secret-file", origins));
    if options.server.turn_secret.is_some() && value == file {
        return Err(SettingsError::Conflict(
            "--turn-secret and --turn-secret-file are set in the same place: keep one".to_owned(),
        ));
    }
    if value < file {
        options.server.turn_secret = Some(read_secret(&path)?);
    }
    Ok(())
}

fn rank(key: &str, origins: &[Origin]) -> u8 {
    let mut rows = SETTINGS.iter().zip(origins);
    rows.find(|(setting, _)| setting.key == key).map_or(0, |(_, origin)| origin.rank())
}

fn read_secret(path: &Path) -> Result<String, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    // Editors end a file with a line end; it is no part of the secret.
    parse_secret(text.trim_end_matches(['\r', '\n'])).map_err(|source: Invalid| {
        SettingsError::Value { place: path.display().to_string(), source }
    })
}
