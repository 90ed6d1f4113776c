//! From options to the client for registries.

use super::arguments::RegistryOptions as Arguments;
use crate::documents::TrustPolicy;
use crate::inventory::ClusterNetworks;
use crate::model::PullSecret;
use crate::registry::{CredentialProviders, Proxies, Registry, RegistryOptions, Timeouts};

/// The client that the options ask for; it has the tokens for the GitHub servers that the policies name.
pub(super) fn registry(
    arguments: &Arguments,
    networks: &ClusterNetworks,
    pull_secrets: Vec<PullSecret>,
    policies: &[TrustPolicy],
) -> anyhow::Result<Registry> {
    let hosts = |texts: &[String]| texts.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>();
    let usual = Timeouts::default();
    let timeouts = Timeouts {
        connect: usual.connect.min(arguments.registry_timeout),
        first_byte: usual.first_byte.min(arguments.registry_timeout),
        idle: usual.idle.min(arguments.registry_timeout),
        request: arguments.registry_timeout,
        ask: usual.ask.min(arguments.registry_timeout * 4),
        ..usual
    };
    let options = RegistryOptions {
        timeouts,
        plain_http: hosts(&arguments.plain_http)?,
        allow_hosts: hosts(&arguments.allow_hosts)?,
        cluster_networks: networks.ranges(),
        ca_files: arguments.ca_files.clone(),
        docker_config: arguments.docker_config.clone().or_else(docker_config),
        credential_providers: arguments
            .credential_provider_config
            .clone()
            .zip(arguments.credential_provider_bin_dir.clone())
            .map(|(config, directory)| CredentialProviders { config, directory }),
        proxies: Proxies::from_env(),
        github_tokens: super::github::tokens(policies),
        ..RegistryOptions::default()
    };
    Ok(Registry::new(options, pull_secrets)?)
}

/// Where Docker and the containers tools keep credentials: the first file that is there.
fn docker_config() -> Option<std::path::PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    let candidates = [
        variable("DOCKER_CONFIG").map(|directory| directory.join("config.json")),
        std::env::home_dir().map(|home| home.join(".docker/config.json")),
        variable("REGISTRY_AUTH_FILE"),
        variable("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json")),
    ];
    candidates.into_iter().flatten().find(|file| file.is_file())
}
