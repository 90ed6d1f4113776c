//! Which answers an exception is about.

use super::Form;
use crate::documents::{
    Control, Designator, DesignatorAttributes, Exception, Framework, KubescapeException, LabelExpression, LabelSelector, PosturePolicy,
    SelectorOperator, WholeText,
};
use crate::model::{Digest, Labels, ObjectKey, Origin, Repository};

/// What an answer is about.
#[derive(Debug, Clone, Copy)]
pub enum ExceptionSubject<'a> {
    /// The cluster as a whole, or the trust policies; the cluster's name, where there is one.
    Cluster(Option<&'a str>),
    /// One container.
    Container(ExceptedContainer<'a>),
}

/// A container of a workload.
#[derive(Debug, Clone, Copy)]
pub struct ExceptedContainer<'a> {
    /// Name of the cluster, where there is one.
    pub cluster: Option<&'a str>,
    /// The workload.
    pub workload: &'a ObjectKey,
    /// Its labels.
    pub labels: &'a Labels,
    /// Where it was read from.
    pub origin: &'a Origin,
    /// Name of the container.
    pub container: &'a str,
    /// The image's repository; none where its reference cannot be parsed.
    pub repository: Option<&'a Repository>,
    /// The digest that was judged, where it is known.
    pub digest: Option<&'a Digest>,
}

/// Whether an exception is about a control at all.
pub(super) fn names(form: &Form, control: &Control, frameworks: &[&Framework]) -> bool {
    match form {
        Form::Own(own) => own.controls.contains(&control.id),
        Form::Kubescape(theirs) => {
            theirs.policies.is_empty() || theirs.policies.iter().any(|policy| policy_names(policy, control, frameworks))
        }
    }
}

/// As Kubescape compares: a control that is named is meant in whatever framework. Where a framework alone is named, those of its controls
/// are meant that are judged by it here; Kubescape would take any control.
fn policy_names(policy: &PosturePolicy, control: &Control, frameworks: &[&Framework]) -> bool {
    let PosturePolicy { framework, title, control: id, names_rule } = policy;
    let holds = |wanted: &Option<WholeText>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted.matches(text));
    match (id, title, framework) {
        (None, None, None) => !names_rule,
        (None, None, Some(wanted)) => frameworks.iter().any(|framework| {
            (wanted.matches(&framework.id) || wanted.matches(&framework.title)) && framework.controls.contains(&control.id)
        }),
        _ => holds(id, &control.id) && holds(title, &control.title),
    }
}

/// Whether an exception is about a subject, whatever the control.
pub(super) fn covers(form: &Form, subject: &ExceptionSubject<'_>) -> bool {
    match (form, subject) {
        (Form::Own(own), ExceptionSubject::Cluster(cluster)) => {
            !own.workloads.limits_workloads() && own.images.is_empty() && own.digests.is_empty() && in_clusters(own, *cluster)
        }
        (Form::Own(own), ExceptionSubject::Container(container)) => own_covers(own, container),
        (Form::Kubescape(theirs), ExceptionSubject::Cluster(cluster)) => {
            theirs.selector.is_empty() && theirs.resources.iter().any(|resource| resource.is_cluster(*cluster))
        }
        (Form::Kubescape(theirs), ExceptionSubject::Container(container)) => {
            selects(&theirs.selector, container.labels) && theirs.resources.iter().any(|resource| designates(resource, container))
        }
    }
}

fn in_clusters(own: &Exception, cluster: Option<&str>) -> bool {
    let clusters = &own.workloads.clusters;
    clusters.is_empty() || cluster.is_some_and(|name| clusters.iter().any(|glob| glob.matches(name)))
}

fn own_covers(own: &Exception, container: &ExceptedContainer<'_>) -> bool {
    let workloads = &own.workloads;
    let key = container.workload;
    in_clusters(own, container.cluster)
        && (workloads.namespaces.is_empty() || workloads.namespaces.iter().any(|glob| glob.matches(&key.namespace)))
        && (workloads.kinds.is_empty() || workloads.kinds.iter().any(|kind| kind.eq_ignore_ascii_case(&key.kind)))
        && (workloads.names.is_empty() || workloads.names.iter().any(|glob| glob.matches(&key.name)))
        && workloads.labels.iter().all(|(label, value)| container.labels.get(label) == Some(value.as_str()))
        && (own.images.is_empty()
            || container.repository.is_some_and(|repository| own.images.iter().any(|pattern| pattern.matches(repository))))
        && (own.digests.is_empty() || container.digest.is_some_and(|digest| own.digests.contains(digest)))
}

impl Designator {
    /// Whether it is about the cluster alone.
    fn is_cluster(&self, cluster: Option<&str>) -> bool {
        let Self::Attributes(attributes) = self else { return false };
        let DesignatorAttributes { namespace, kind, name, resource_id, path, container, labels, .. } = attributes.as_ref();
        let others = [namespace, kind, name, resource_id, path, container];
        others.into_iter().all(Option::is_none) && labels.is_empty() && is_named(attributes, cluster)
    }
}

/// Kubescape knows a cluster by its context with hyphens for slashes; where there is none its name is empty.
fn is_named(attributes: &DesignatorAttributes, cluster: Option<&str>) -> bool {
    let name = cluster.unwrap_or_default();
    attributes.cluster.as_ref().is_none_or(|wanted| wanted.matches(name) || wanted.matches(&name.replace('/', "-")))
}

fn designates(designator: &Designator, subject: &ExceptedContainer<'_>) -> bool {
    let Designator::Attributes(attributes) = designator else { return false };
    let DesignatorAttributes { cluster: _, namespace, kind, name, resource_id, path, container, labels } = attributes.as_ref();
    let holds = |wanted: &Option<WholeText>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted.matches(text));
    let key = subject.workload;
    is_named(attributes, subject.cluster)
        && holds(namespace, &key.namespace)
        && holds(kind, &key.kind)
        && holds(name, &key.name)
        && holds(container, subject.container)
        && resource_id.as_ref().is_none_or(|wanted| wanted.matches(&key.resource_id()))
        && path.as_ref().is_none_or(|wanted| matches!(subject.origin, Origin::Manifest { file, .. } if wanted.matches(file)))
        && labels.iter().all(|(label, wanted)| subject.labels.get(label).is_some_and(|value| wanted.matches(value)))
}

impl LabelSelector {
    fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }
}

fn selects(selector: &LabelSelector, labels: &Labels) -> bool {
    let holds = |condition: &LabelExpression| {
        let value = labels.get(&condition.key);
        let listed = || value.is_some_and(|value| condition.values.iter().any(|known| known == value));
        match condition.operator {
            SelectorOperator::In => listed(),
            SelectorOperator::NotIn => !listed(),
            SelectorOperator::Exists => value.is_some(),
            SelectorOperator::DoesNotExist => value.is_none(),
        }
    };
    selector.match_labels.iter().all(|(label, value)| labels.get(label) == Some(value.as_str()))
        && selector.match_expressions.iter().all(holds)
}

/// Whether no workload and no image is left out.
pub(super) fn limits_nothing(form: &Form) -> bool {
    match form {
        Form::Own(own) => own.matches_everything(),
        Form::Kubescape(theirs) => kubescape_limits_nothing(theirs),
    }
}

/// An expression that matches texts that nobody would list is taken for one that matches all.
fn kubescape_limits_nothing(theirs: &KubescapeException) -> bool {
    let any = |wanted: &Option<WholeText>| {
        wanted.as_ref().is_none_or(|wanted| ["x", "0-a/b.c_d", "Zz/y/9"].into_iter().all(|text| wanted.matches(text)))
    };
    let open = |designator: &Designator| match designator {
        Designator::Nothing => false,
        Designator::Attributes(attributes) => {
            let DesignatorAttributes { cluster: _, namespace, kind, name, resource_id, path, container, labels } = attributes.as_ref();
            [namespace, kind, name, resource_id, container].into_iter().all(any) && path.is_none() && labels.is_empty()
        }
    };
    theirs.selector.is_empty() && theirs.resources.iter().any(open)
}
