//! The picture in the README is one that the browser tests made, so that it shows what is there.

use std::fs;

use anyhow::{Context as _, Result};

use crate::command::{root, target};

const PICTURE: &str = "room-desktop-light.png";

pub(crate) fn copy_to_docs() -> Result<String> {
    let made = target().join("screenshots").join(PICTURE);
    let images = root().join("docs/images");
    fs::create_dir_all(&images).context("docs/images")?;
    fs::copy(&made, images.join("room.png")).with_context(|| {
        format!("{PICTURE} is not in target/screenshots: `cargo xtask test browsers` makes it")
    })?;
    Ok("docs/images/room.png".into())
}
