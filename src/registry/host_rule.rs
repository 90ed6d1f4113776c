//! Which hosts are contacted at all.
//!
//! Image references are written by whoever may create a pod: without these rules one could make the scan connect to the cloud's
//! metadata address or to services inside the cluster. Private networks as such are where many registries are, and are allowed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

use super::error::failure;
use super::options::RegistryOptions;
use crate::model::{Cause, UnknownAnswer, escape_control};

/// `HOST[:PORT]`; without a port every port of the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostRule {
    host: String,
    port: Option<u16>,
}

/// Why a text is no host rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not HOST or HOST:PORT (no scheme, no path; an IPv6 address with a port in brackets)")]
pub struct HostRuleError(String);

impl HostRule {
    /// Whether the rule is about the host and port of an address.
    pub(super) fn covers(&self, url: &Url) -> bool {
        plain_host(url).is_some_and(|host| url.port_or_known_default().is_some_and(|port| self.matches(&host, port)))
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port.is_none_or(|own| own == port)
    }
}

impl FromStr for HostRule {
    type Err = HostRuleError;

    fn from_str(text: &str) -> Result<Self, HostRuleError> {
        let wrong = || HostRuleError(text.to_owned());
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self { host: address.to_string(), port: None });
        }
        if text.is_empty() || text.contains(['/', '@', '?', '#', ' ', '*']) {
            return Err(wrong());
        }
        // The parser of addresses gives host and port in the very form in which they are compared later.
        let url = Url::parse(&format!("http://{text}")).map_err(|_| wrong())?;
        let port = match text.rsplit_once(':') {
            Some((_, digits)) if !digits.ends_with(']') => Some(digits.parse::<u16>().map_err(|_| wrong())?),
            _ => None,
        };
        Ok(Self { host: plain_host(&url).ok_or_else(wrong)?, port })
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = self.host.contains(':');
        match self.port {
            None => formatter.write_str(&self.host),
            Some(port) if bracketed => write!(formatter, "[{}]:{port}", self.host),
            Some(port) => write!(formatter, "{}:{port}", self.host),
        }
    }
}

/// The host of an address in lower case, IPv6 without brackets.
fn plain_host(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

/// What the rules say about an address before it is contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// The user named it: whatever it resolves to.
    Allowed,
    /// Its name is fine; what it resolves to is looked at when connecting.
    Guarded,
}

/// Applies the rules to the scheme, name and literal address.
pub(super) fn admit(url: &Url, options: &RegistryOptions) -> Result<Admission, UnknownAnswer> {
    let (Some(host), Some(port)) = (plain_host(url), url.port_or_known_default()) else {
        return Err(failure(Cause::InvalidResponse, "an address without a host was given"));
    };
    let place = format!("{}:{port}", url.host_str().unwrap_or_default());
    let place = escape_control(&place);
    let named = |rules: &[HostRule]| rules.iter().any(|rule| rule.matches(&host, port));
    let allowed = named(&options.allow_hosts);
    let objection = match url.host() {
        Some(Host::Ipv4(address)) => objection(address.into(), &options.cluster_networks),
        Some(Host::Ipv6(address)) => objection(address.into(), &options.cluster_networks),
        _ => objection_to_name(&host),
    };
    // First: nobody is told to allow plain HTTP to where nothing should go at all.
    if let Some(what) = objection.filter(|_| !allowed) {
        return Err(failure(Cause::HostRefused, format!("{place} is {what} and is not contacted; allow it with --allow-host {place}")));
    }
    match url.scheme() {
        "https" => {}
        "http" if named(&options.plain_http) => {}
        "http" => {
            return Err(failure(Cause::HostRefused, format!("{place} is not asked over plain HTTP; allow it with --plain-http {place}")));
        }
        _ => return Err(failure(Cause::HostRefused, format!("{place} is named with a scheme that is neither https nor http"))),
    }
    Ok(if allowed { Admission::Allowed } else { Admission::Guarded })
}

fn objection_to_name(host: &str) -> Option<&'static str> {
    let labels: Vec<&str> = host.split('.').collect();
    if labels.last() == Some(&"localhost") {
        return Some("a name of the machine itself (a node's localhost is not this machine's)");
    }
    // `name.namespace.svc`, `….svc.cluster.local` and the like under other cluster domains.
    if labels.iter().skip(1).any(|label| *label == "svc") || labels.ends_with(&["cluster", "local"]) {
        return Some("a name inside the cluster");
    }
    None
}

/// Why an address is not contacted, if it is not.
pub(super) fn objection(address: IpAddr, cluster_networks: &[(IpAddr, u8)]) -> Option<&'static str> {
    let address = embedded(address);
    let special = match address {
        IpAddr::V4(four) if four.is_loopback() => Some("a loopback address"),
        IpAddr::V4(four) if four.is_link_local() => Some("a link-local address"),
        IpAddr::V4(four) if four.octets()[0] == 0 => Some("an unspecified address"),
        IpAddr::V4(four) if four.is_multicast() || four.is_broadcast() => Some("a multicast or broadcast address"),
        IpAddr::V6(six) if six.is_loopback() => Some("a loopback address"),
        IpAddr::V6(six) if six.is_unicast_link_local() => Some("a link-local address"),
        IpAddr::V6(six) if six.is_unspecified() => Some("an unspecified address"),
        IpAddr::V6(six) if six.is_multicast() => Some("a multicast address"),
        _ => None,
    };
    special.or_else(|| cluster_networks.iter().any(|network| contains(*network, address)).then_some("in the cluster's own network"))
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056) forms.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let pair = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match six.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => pair(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => pair(high, low),
        [0x2002, high, low, ..] => pair(high, low),
        _ => address,
    }
}

fn contains((network, prefix): (IpAddr, u8), address: IpAddr) -> bool {
    let same = |network: u128, address: u128, bits: u32| {
        let drop = bits.saturating_sub(u32::from(prefix));
        drop >= bits || network >> drop == address >> drop
    };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => same(u32::from(network).into(), u32::from(address).into(), 32),
        (IpAddr::V6(network), IpAddr::V6(address)) => same(network.into(), address.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(url: &str, allow: &[&str], plain: &[&str]) -> Result<Admission, Cause> {
        let rules = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let options = RegistryOptions {
            allow_hosts: rules(allow),
            plain_http: rules(plain),
            cluster_networks: vec![("10.96.0.0".parse().unwrap(), 12), ("fd00:10:96::".parse().unwrap(), 112)],
            ..RegistryOptions::default()
        };
        admit(&Url::parse(url).unwrap(), &options).map_err(|unknown| unknown.cause)
    }

    #[test]
    fn addresses_and_names_inside_are_refused() {
        for inside in [
            "127.0.0.1",
            "127.9.9.9:5000",
            "0.0.0.0",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[ff02::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:7f00:1::]",
            "[::127.0.0.1]",
            "0x7f.1",
            "2130706433",
            "10.96.0.10",
            "10.111.255.255",
            "[fd00:10:96::1]",
            "localhost",
            "a.localhost:5000",
            "LOCALHOST",
            "registry.kube-system.svc",
            "registry.kube-system.svc:5000",
            "a.b.svc.cluster.local",
            "a.b.svc.corp.example",
            "x.cluster.local",
        ] {
            assert_eq!(verdict(&format!("https://{inside}/v2/"), &[], &[]), Err(Cause::HostRefused), "{inside}");
        }
        for outside in
            ["10.0.0.1", "10.112.0.1", "192.168.1.1:5000", "ghcr.io", "svc.example.com", "registry.local", "[fd00::1]", "[2a00::1]"]
        {
            assert_eq!(verdict(&format!("https://{outside}/v2/"), &[], &[]), Ok(Admission::Guarded), "{outside}");
        }
    }

    #[test]
    fn a_rule_without_a_port_means_all_ports() {
        assert_eq!(verdict("https://localhost:5000/", &["localhost"], &[]), Ok(Admission::Allowed));
        assert_eq!(verdict("https://localhost:5000/", &["localhost:5000"], &[]), Ok(Admission::Allowed));
        assert_eq!(verdict("https://localhost/", &["localhost:443"], &[]), Ok(Admission::Allowed));
        assert_eq!(verdict("https://localhost:5000/", &["localhost:5001"], &[]), Err(Cause::HostRefused));
        assert_eq!(verdict("https://[::1]:5000/", &["[::1]:5000"], &[]), Ok(Admission::Allowed));
        assert_eq!(verdict("https://[::1]:5000/", &["::1"], &[]), Ok(Admission::Allowed));
        assert_eq!(verdict("http://ghcr.io/", &[], &[]), Err(Cause::HostRefused));
        assert_eq!(verdict("http://ghcr.io/", &[], &["ghcr.io:80"]), Ok(Admission::Guarded));
        // Plain HTTP is one permission, an inner address another.
        assert_eq!(verdict("http://127.0.0.1:5000/", &[], &["127.0.0.1"]), Err(Cause::HostRefused));
        assert_eq!(verdict("ftp://ghcr.io/", &["ghcr.io"], &[]), Err(Cause::HostRefused));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in ["", "https://ghcr.io", "ghcr.io/acme", "a b", "ghcr.io:", "ghcr.io:99999", "u@ghcr.io", "*.gcr.io"] {
            assert!(bad.parse::<HostRule>().is_err(), "{bad}");
        }
        for good in ["ghcr.io", "ghcr.io:5000", "127.0.0.1:80", "[::1]:5000"] {
            assert_eq!(good.parse::<HostRule>().unwrap().to_string(), good);
        }
    }
}
