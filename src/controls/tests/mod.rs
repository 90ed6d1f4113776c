//! Judging by hand-made evidence: the contract's table, scope, folding, the cluster as a whole.

mod cluster;
mod exceptions;
mod rows;
mod rules;
mod stage;
mod workloads;
