//! Compiles what is not Rust: resources, the settings schema and the translations.
//!
//! The schema and the translations go into `OUT_DIR` so that `cargo run` works, translated, from
//! a fresh checkout. An installed client finds its own copies: packagers say where with
//! `PYCHAT_LOCALEDIR` and `PYCHAT_SCHEMADIR`, so that it never looks into the build directory.

use std::{env, fs, path::Path, process::Command};

const SCHEMA_DIR: &str = "../data";
const SCHEMA: &str = "../data/io.github.pychat.Pychat.gschema.xml";
const LANGUAGES: &str = "po/LINGUAS";

fn main() {
    let out_dir = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out_dir = Path::new(&out_dir);

    glib_build_tools::compile_resources(
        &["resources"],
        "resources/pychat.gresource.xml",
        "pychat.gresource",
    );
    compile_schema(out_dir);
    compile_translations(out_dir);
}

fn compile_schema(out_dir: &Path) {
    println!("cargo:rerun-if-changed={SCHEMA}");
    let target = format!("--targetdir={}", out_dir.display());
    run(Command::new("glib-compile-schemas").args([&target, "--strict", SCHEMA_DIR]));
    println!("cargo:rerun-if-env-changed=PYCHAT_SCHEMADIR");
    let fallback = env::var("PYCHAT_SCHEMADIR").unwrap_or_else(|_| out_dir.display().to_string());
    println!("cargo:rustc-env=PYCHAT_BUILD_SCHEMADIR={fallback}");
}

fn compile_translations(out_dir: &Path) {
    println!("cargo:rerun-if-changed={LANGUAGES}");
    let locale_dir = out_dir.join("locale");
    let languages = fs::read_to_string(LANGUAGES).expect("po/LINGUAS lists the translations");
    for language in languages.split_whitespace() {
        let source = format!("po/{language}.po");
        println!("cargo:rerun-if-changed={source}");
        let target_dir = locale_dir.join(language).join("LC_MESSAGES");
        fs::create_dir_all(&target_dir).expect("OUT_DIR can be written to");
        let target = format!("--output-file={}", target_dir.join("pychat.mo").display());
        run(Command::new("msgfmt").args(["--check", &target, &source]));
    }
    println!("cargo:rustc-env=PYCHAT_BUILD_LOCALEDIR={}", locale_dir.display());
}

/// Runs `command` to its end; a build without what it makes would only fail later and darker.
fn run(command: &mut Command) {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => (),
        Ok(status) => panic!("{program} failed: {status}"),
        Err(error) => panic!("{program} cannot be run ({error}); is it installed?"),
    }
}
