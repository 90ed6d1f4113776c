//! The controls and frameworks that are part of the binary. A test compares this list with the directory.

/// File name (below `controls/`) and text.
pub(super) const FILES: [(&str, &str); 46] = [
    ("builders/github-artifact-attestations.yaml", include_str!("../../controls/builders/github-artifact-attestations.yaml")),
    ("builders/google-cloud-build.yaml", include_str!("../../controls/builders/google-cloud-build.yaml")),
    ("builders/slsa-github-generator.yaml", include_str!("../../controls/builders/slsa-github-generator.yaml")),
    ("c-0001.yaml", include_str!("../../controls/c-0001.yaml")),
    ("c-0075.yaml", include_str!("../../controls/c-0075.yaml")),
    ("c-0078.yaml", include_str!("../../controls/c-0078.yaml")),
    ("c-0236.yaml", include_str!("../../controls/c-0236.yaml")),
    ("c-0237.yaml", include_str!("../../controls/c-0237.yaml")),
    ("c-0306.yaml", include_str!("../../controls/c-0306.yaml")),
    ("frameworks/milestone-1.yaml", include_str!("../../controls/frameworks/milestone-1.yaml")),
    ("frameworks/milestone-2.yaml", include_str!("../../controls/frameworks/milestone-2.yaml")),
    ("frameworks/milestone-3.yaml", include_str!("../../controls/frameworks/milestone-3.yaml")),
    ("frameworks/slsa-build-l1.yaml", include_str!("../../controls/frameworks/slsa-build-l1.yaml")),
    ("frameworks/slsa-build-l2.yaml", include_str!("../../controls/frameworks/slsa-build-l2.yaml")),
    ("frameworks/slsa-build-l3.yaml", include_str!("../../controls/frameworks/slsa-build-l3.yaml")),
    ("frameworks/supply-chain.yaml", include_str!("../../controls/frameworks/supply-chain.yaml")),
    ("sw-0001.yaml", include_str!("../../controls/sw-0001.yaml")),
    ("sw-0002.yaml", include_str!("../../controls/sw-0002.yaml")),
    ("sw-0003.yaml", include_str!("../../controls/sw-0003.yaml")),
    ("sw-0004.yaml", include_str!("../../controls/sw-0004.yaml")),
    ("sw-0006.yaml", include_str!("../../controls/sw-0006.yaml")),
    ("sw-0007.yaml", include_str!("../../controls/sw-0007.yaml")),
    ("sw-0008.yaml", include_str!("../../controls/sw-0008.yaml")),
    ("sw-0009.yaml", include_str!("../../controls/sw-0009.yaml")),
    ("sw-0010.yaml", include_str!("../../controls/sw-0010.yaml")),
    ("sw-0011.yaml", include_str!("../../controls/sw-0011.yaml")),
    ("sw-0020.yaml", include_str!("../../controls/sw-0020.yaml")),
    ("sw-0021.yaml", include_str!("../../controls/sw-0021.yaml")),
    ("sw-0022.yaml", include_str!("../../controls/sw-0022.yaml")),
    ("sw-0023.yaml", include_str!("../../controls/sw-0023.yaml")),
    ("sw-0024.yaml", include_str!("../../controls/sw-0024.yaml")),
    ("sw-0025.yaml", include_str!("../../controls/sw-0025.yaml")),
    ("sw-0030.yaml", include_str!("../../controls/sw-0030.yaml")),
    ("sw-0031.yaml", include_str!("../../controls/sw-0031.yaml")),
    ("sw-0032.yaml", include_str!("../../controls/sw-0032.yaml")),
    ("sw-0033.yaml", include_str!("../../controls/sw-0033.yaml")),
    ("sw-0034.yaml", include_str!("../../controls/sw-0034.yaml")),
    ("sw-0035.yaml", include_str!("../../controls/sw-0035.yaml")),
    ("sw-0036.yaml", include_str!("../../controls/sw-0036.yaml")),
    ("sw-0040.yaml", include_str!("../../controls/sw-0040.yaml")),
    ("sw-0041.yaml", include_str!("../../controls/sw-0041.yaml")),
    ("sw-0042.yaml", include_str!("../../controls/sw-0042.yaml")),
    ("sw-0043.yaml", include_str!("../../controls/sw-0043.yaml")),
    ("sw-0044.yaml", include_str!("../../controls/sw-0044.yaml")),
    ("sw-0045.yaml", include_str!("../../controls/sw-0045.yaml")),
    ("sw-0046.yaml", include_str!("../../controls/sw-0046.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_directory_is_embedded() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("controls");
        let mut found = Vec::new();
        for directory in ["", "builders", "frameworks"] {
            for entry in std::fs::read_dir(root.join(directory)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "yaml") {
                    found.push(path.strip_prefix(&root).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        assert_eq!(found, FILES.map(|(name, _)| name.to_owned()));
    }
}
