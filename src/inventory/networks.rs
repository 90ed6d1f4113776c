//! The cluster's own addresses, so that a pod cannot make the auditor connect to them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

use super::request::{Accept, Api};

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
    /// Ranges of services (`ServiceCIDR`, Kubernetes 1.33 and later, where it may be read).
    pub services: Vec<Network>,
    /// Addresses of the pods that were listed, but not those that are their nodes'.
    pub pods: BTreeSet<IpAddr>,
}

impl ClusterNetworks {
    /// All of it as ranges: address and prefix length.
    #[must_use]
    pub fn ranges(&self) -> Vec<(IpAddr, u8)> {
        let services = self.services.iter().map(|network| (network.address, network.prefix));
        let pods = self.pods.iter().map(|address| (*address, if address.is_ipv4() { 32 } else { 128 }));
        services.chain(pods).collect()
    }

    /// Whether the address belongs to a service or a pod.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.services.iter().any(|network| network.contains(address)) || self.pods.contains(&address.to_canonical())
    }
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

/// Asks for the ranges of services; none where the server does not have them or does not show them.
pub(super) async fn services(api: &Api) -> Vec<Network> {
    match api.read::<ServiceCidrs>("/apis/networking.k8s.io/v1/servicecidrs", Accept::Objects).await {
        Ok(list) => {
            let mut networks: Vec<Network> =
                list.items.iter().flat_map(|item| &item.spec.cidrs).filter_map(|cidr| cidr.parse().ok()).collect();
            networks.sort_unstable();
            networks
        }
        Err(error) => {
            tracing::debug!(detail = error.detail, "ranges of services are not known");
            Vec::new()
        }
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
}
