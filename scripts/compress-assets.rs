//! Compresses the files of the console, so that the program holds them as they are sent.

#![allow(clippy::disallowed_methods, clippy::expect_used)]

use std::io::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    let folder = Path::new("src/web/assets");
    println!("cargo::rerun-if-changed={}", folder.display());
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for entry in fs::read_dir(folder).expect("the folder of assets") {
        let path = entry.expect("an entry of the folder").path();
        let name = path.file_name().expect("a file name").to_string_lossy().into_owned();
        let bytes = fs::read(&path).expect("an asset");
        let mut encoder = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
        encoder.write_all(&bytes).expect("compressing in memory");
        let packed = encoder.finish().expect("compressing in memory");
        fs::write(Path::new(&out).join(format!("{name}.gz")), packed).expect("writing to OUT_DIR");
    }
    let target = env::var("TARGET").expect("cargo sets TARGET");
    println!("cargo::rustc-env=BUILD_TARGET={target}");
}
