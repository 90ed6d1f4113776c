//! `rbac print`.

use super::arguments::{RbacArguments, RbacCommand, RbacScopeChoice};
use super::exit::Exit;
use super::output::{Target, write};
use crate::inventory::rbac::{RbacScope, manifest};

/// Runs `rbac`.
pub(super) fn run(arguments: &RbacArguments) -> anyhow::Result<Exit> {
    let RbacCommand::Print { scope, include_namespaces } = &arguments.command;
    anyhow::ensure!(
        include_namespaces.is_empty() || *scope == RbacScopeChoice::Namespaces,
        "--include-namespaces goes with --scope namespaces; the other scopes are for the whole cluster"
    );
    let scope = match scope {
        RbacScopeChoice::Cluster => RbacScope::Cluster,
        RbacScopeChoice::NoSecrets => RbacScope::NoSecrets,
        RbacScopeChoice::Namespaces => {
            anyhow::ensure!(!include_namespaces.is_empty(), "--scope namespaces needs --include-namespaces NAME,…");
            RbacScope::Namespaces(include_namespaces.clone())
        }
    };
    let text = manifest(&scope)?;
    write(&Target::Stdout, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Success)
}
