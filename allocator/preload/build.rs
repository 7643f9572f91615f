//! Linker flags of the library.
//!
//! Its own calls stay inside it although a program may define the same names (`-Bsymbolic`), and once loaded it is never
//! unloaded: threads and the process hold pointers into it (`nodelete`).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-Bsymbolic");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
