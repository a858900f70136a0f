//! Who may name whom: dependencies point one way.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What only some places may name, and these places.
const RESERVED: &[(&str, &[&str])] = &[
    ("sea_orm", &["store/"]),
    ("migration", &["store/"]),
    ("axum", &["gateway/"]),
    ("hyper", &["gateway/"]),
    ("socketioxide", &["gateway/"]),
    ("tokio_tungstenite", &["gateway/websocket/", "doctor/"]),
    ("reqwest", &["doctor/"]),
    ("governor", &["limits.rs", "limits/", "clock.rs"]),
    // In `bus/mod.rs` it is the module.
    (
        "redis",
        &["bus/redis/", "bus/mod.rs", "limits.rs", "limits/"],
    ),
    ("jsonwebtoken", &["auth.rs", "auth/"]),
    ("argon2", &["chat/accounts.rs"]),
    ("crate::gateway", &["gateway/", "app.rs"]),
    ("crate::chat", &["chat/", "gateway/", "app.rs"]),
    ("crate::store", &["store/", "chat/", "bus/", "app.rs"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "the sources were not found");
    for file in files {
        let name = file
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        // What the item is called in the text: `use crate::{\n    gateway::…` is written over several lines.
        let text: String = fs::read_to_string(&file)
            .unwrap()
            .split_whitespace()
            .collect();
        for (item, places) in RESERVED {
            if places.iter().any(|place| name.starts_with(place)) {
                continue;
            }
            let direct = format!("{item}::");
            let named = text.contains(&direct)
                || item.strip_prefix("crate::").is_some_and(|module| {
                    text.split("usecrate::{").nth(1).is_some_and(|rest| {
                        let block = rest.split("};").next().unwrap_or_default();
                        block.starts_with(&format!("{module}::"))
                            || block.contains(&format!(",{module}::"))
                    })
                });
            assert!(!named, "src/{name} names {item}");
        }
    }
}
