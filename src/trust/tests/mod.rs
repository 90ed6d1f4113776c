//! Where a test wants a key or certificate, it is one of `material/`, which `make.sh` there makes.

mod documents;
mod keys;

/// A file of `material/`.
macro_rules! material {
    ($name:literal) => {
        include_str!(concat!("material/", $name, ".pem"))
    };
}
pub(super) use material;
