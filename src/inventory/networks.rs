//! The cluster's own addresses, so that a pod cannot make the auditor connect to them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::StatusCode;
use serde::Deserialize;

use crate::model::Gap;

use super::request::{Accept, Api, RequestError};

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether the address is in it; an IPv4 address mapped into IPv6 counts as what it maps.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                shifted(network.to_bits().into(), 32, self.prefix) == shifted(address.to_bits().into(), 32, self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                shifted(network.to_bits(), 128, self.prefix) == shifted(address.to_bits(), 128, self.prefix)
            }
            _ => false,
        }
    }
}

impl Network {
    /// Whether a range can be one of a cluster: what is wider would refuse half of the world.
    fn is_plausible(&self) -> bool {
        self.prefix >= if self.address.is_ipv4() { 8 } else { 32 }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

fn shifted(bits: u128, width: u8, prefix: u8) -> u128 {
    bits.checked_shr(u32::from(width.saturating_sub(prefix))).unwrap_or(0)
}

impl FromStr for Network {
    type Err = ();

    /// Reads CIDR notation.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = text.split_once('/').ok_or(())?;
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let prefix: u8 = prefix.parse().map_err(|_| ())?;
        if prefix > if address.is_ipv4() { 32 } else { 128 } {
            return Err(());
        }
        Ok(Self { address, prefix })
    }
}

/// Addresses that are the cluster's own: never a registry's, unless the user allows the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterNetworks {
    /// Ranges of services: from the server (`ServiceCIDR`, Kubernetes 1.33 and later), or as the API server's own pod names them.
    /// Empty where neither may be read.
    pub services: BTreeSet<Network>,
    /// Ranges of pods, as the controller manager's own pod names them.
    pub pods: BTreeSet<Network>,
    /// Single addresses: of the pods that were listed, but not those that are their nodes', and of the services that the environment
    /// names where the scan itself runs in a pod.
    pub addresses: BTreeSet<IpAddr>,
}

impl ClusterNetworks {
    /// What is known without asking: inside a pod the kubelet names services in the environment (`{SVCNAME}_SERVICE_HOST`).
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of_variables(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
    }

    fn of_variables(variables: impl Iterator<Item = (String, String)>) -> Self {
        let hosts: Vec<(String, IpAddr)> = variables
            .filter(|(name, _)| name.ends_with("_SERVICE_HOST"))
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect();
        let in_pod = hosts.iter().any(|(name, _)| name == "KUBERNETES_SERVICE_HOST");
        let addresses = hosts.into_iter().filter(|_| in_pod).map(|(_, address)| address).collect();
        Self { addresses, ..Self::default() }
    }

    /// All of it as ranges: address and prefix length.
    #[must_use]
    pub fn ranges(&self) -> Vec<(IpAddr, u8)> {
        let networks = self.services.iter().chain(&self.pods).map(|network| (network.address, network.prefix));
        let single = self.addresses.iter().map(|address| (*address, if address.is_ipv4() { 32 } else { 128 }));
        networks.chain(single).collect()
    }

    /// Whether the address belongs to a service or a pod.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.services.iter().chain(&self.pods).any(|network| network.contains(address)) || self.addresses.contains(&address.to_canonical())
    }

    /// Takes in what is known from elsewhere.
    pub(super) fn append(&mut self, mut other: Self) {
        self.services.append(&mut other.services);
        self.pods.append(&mut other.pods);
        self.addresses.append(&mut other.addresses);
    }

    /// Takes in an argument of a control-plane pod, if it names a range.
    pub(super) fn take_flag(&mut self, argument: &str) {
        let Some((name, value)) = argument.split_once('=') else { return };
        let networks = value.split(',').filter_map(|text| text.trim().parse::<Network>().ok()).filter(|network| network.is_plausible());
        match name {
            SERVICE_RANGE => self.services.extend(networks),
            POD_RANGE => self.pods.extend(networks),
            _ => {}
        }
    }
}

/// Flag of the API server and the controller manager.
const SERVICE_RANGE: &str = "--service-cluster-ip-range";
/// Flag of the controller manager.
const POD_RANGE: &str = "--cluster-cidr";

/// Whether an argument may name a range: looked at before it is kept.
pub(super) fn is_range_flag(argument: &str) -> bool {
    [SERVICE_RANGE, POD_RANGE].iter().any(|flag| argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')))
}

#[derive(Deserialize)]
struct ServiceCidrs {
    #[serde(default)]
    items: Vec<ServiceCidr>,
}

#[derive(Deserialize)]
struct ServiceCidr {
    spec: ServiceCidrSpec,
}

#[derive(Deserialize)]
struct ServiceCidrSpec {
    #[serde(default)]
    cidrs: Vec<String>,
}

/// Asks for the ranges of services; none where the server is older than they are.
pub(super) async fn services(api: &Api) -> Result<BTreeSet<Network>, RequestError> {
    match api.read::<ServiceCidrs>("/apis/networking.k8s.io/v1/servicecidrs", Accept::Objects).await {
        Ok(list) => Ok(list.items.iter().flat_map(|item| &item.spec.cidrs).filter_map(|cidr| cidr.parse().ok()).collect()),
        Err(error) if error.is(StatusCode::NOT_FOUND) => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

/// Said where nothing else names them.
pub(super) fn gap(error: &RequestError) -> Gap {
    let advice = match error.stop {
        Some(stop) => stop.advice(),
        None if error.is(StatusCode::FORBIDDEN) => "grant the rights that `seaworthy rbac print` writes",
        None => "try again",
    };
    Gap {
        cluster: None,
        what: "the address ranges of services".to_owned(),
        namespace: None,
        workloads_missing: false,
        cause: error.cause,
        detail: format!(
            "{}; an image reference that leads to a service by its address is not told from one that leads to a registry; {advice}",
            error.detail
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_contains_its_addresses() {
        let within = |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(within("10.96.0.0/12", "10.111.255.255"));
        assert!(within("10.96.0.0/12", "::ffff:10.96.0.1"));
        assert!(!within("10.96.0.0/12", "10.112.0.0"));
        assert!(within("0.0.0.0/0", "8.8.8.8"));
        assert!(within("fd00:1::/64", "fd00:1::7") && !within("fd00:1::/64", "fd00:2::7"));
        assert!(within("::/0", "fd00::1") && !within("::/0", "8.8.8.8"));
        assert!(within("10.0.0.1/32", "10.0.0.1") && !within("10.0.0.1/32", "10.0.0.2"));
        for bad in ["", "10.0.0.0", "10.0.0.0/33", "::/129", "x/8"] {
            assert_eq!(bad.parse::<Network>(), Err(()), "{bad}");
        }
    }
    #[test]
    fn a_pod_knows_services_by_its_environment() {
        let variables = |names: &[(&str, &str)]| {
            let networks = ClusterNetworks::of_variables(names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            networks.addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let web = ("WEB_SERVICE_HOST", "10.96.0.7");
        assert_eq!(variables(&[web, ("KUBERNETES_SERVICE_HOST", "10.96.0.1"), ("X_SERVICE_HOST", "x")]), ["10.96.0.1", "10.96.0.7"]);
        assert!(variables(&[web]).is_empty(), "not in a pod");
    }

    #[test]
    fn a_flag_names_ranges_but_not_the_whole_world() {
        let mut networks = ClusterNetworks::default();
        for flag in [
            "--service-cluster-ip-range=10.96.0.0/12,fd00:1::/108",
            "--cluster-cidr=10.244.0.0/16",
            "--cluster-cidr=0.0.0.0/0",
            "--cluster-cidr",
            "--service-cluster-ip-range=x",
            "--other=10.0.0.0/8",
        ] {
            assert_eq!(is_range_flag(flag), flag.contains('=') && !flag.starts_with("--other"), "{flag}");
            networks.take_flag(flag);
        }
        let texts = |networks: &BTreeSet<Network>| networks.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (texts(&networks.services), texts(&networks.pods)),
            (vec!["10.96.0.0/12".into(), "fd00:1::/108".into()], vec!["10.244.0.0/16".into()])
        );
    }
}
