//! The command line is what people type.

use clap::CommandFactory as _;

use super::gate::parse_percent;
use super::*;

#[test]
fn the_command_line_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn what_a_kubescape_user_types_is_understood() {
    for line in [
        "scan control C-0237 -v",
        "scan control C-0236,C-0237 --compliance-threshold 80",
        "scan framework supply-chain",
        "scan workload Deployment/web --include-namespaces prod",
        "scan image ghcr.io/acme/app:v1",
        "scan",
        "scan -",
        "scan manifests/ -f json --format-version v2 -o out.json",
        "scan control C-0237 - --format pretty-printer",
        "scan control C-0237 -e kube-system --keep-local --use-from dir",
        "list controls",
        "controls list",
    ] {
        let words = std::iter::once("seaworthy").chain(line.split(' '));
        assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
    }
}

#[test]
fn durations_and_percentages_are_checked() {
    assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
    assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5_400)));
    assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    assert!(parse_duration("-1s").is_err() && parse_duration("soon").is_err());
    assert_eq!(parse_percent("80"), Ok(80.0));
    assert!(parse_percent("101").is_err() && parse_percent("NaN").is_err());
}
