//! Takes the built web client into the binary: in release builds embedded, else read from the folder.

use std::{env, fs, path::Path};

fn main() {
    let built = Path::new("web-client/dist");
    // There must be a folder to watch, so that a later build of the web client is noticed.
    if let Err(error) = fs::create_dir_all(built) {
        println!("cargo::warning={}: {error}", built.display());
    }
    println!("cargo::rerun-if-changed={}", built.display());
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let folder = if built.join("index.html").exists() {
        built
    } else {
        if is_release {
            println!("cargo::warning=the web client is not built: the server will say so at /");
        }
        Path::new("web-client/unbuilt")
    };
    memory_serve::load_directory_with_embed(folder, is_release);
}
