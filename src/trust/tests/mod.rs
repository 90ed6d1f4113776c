//! Where a test wants a key or certificate, it is one of `material/`, which `make.sh` there makes.

mod documents;
mod keys;
mod policies;
mod server;
mod tuf;
mod tuf_repository;

/// A file of `material/`.
macro_rules! material {
    ($name:literal) => {
        include_str!(concat!("material/", $name, ".pem"))
    };
}
pub(super) use material;
