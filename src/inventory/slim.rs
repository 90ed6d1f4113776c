//! The few fields of API objects that an audit needs, borrowed from the page they came in.
//!
//! Field names and meaning: Kubernetes API reference (core/v1, apps/v1, batch/v1, meta/v1). Everything else is skipped while
//! parsing and never held.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::networks::is_range_flag;

/// A text that borrows from the input where it has no escapes (serde copies a `Cow` inside an `Option`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// `null` where a list or object may stand: Go writes a nil slice so.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct List<'a, T> {
    #[serde(default, borrow, deserialize_with = "or_default")]
    pub(super) metadata: ListMeta<'a>,
    /// `null` where it is empty; an answer without it is no list.
    #[serde(deserialize_with = "or_default")]
    pub(super) items: Vec<T>,
}

/// A list's own metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListMeta<'a> {
    #[serde(borrow, rename = "continue")]
    pub(super) next: Option<Text<'a>>,
}

/// An object's metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) generate_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) namespace: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) uid: Option<Text<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) labels: Labels<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) annotations: Annotations<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) owner_references: Vec<OwnerReference<'a>>,
}

impl<'a> Meta<'a> {
    /// The owner that controls it (at most one by API validation).
    pub(super) fn controller(&self) -> Option<&OwnerReference<'a>> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true))
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn uid(&self) -> &str {
        self.uid.as_deref().unwrap_or_default()
    }
}

/// Labels as they come.
#[derive(Debug, Default)]
pub(super) struct Labels<'a>(pub(super) Vec<(Text<'a>, Text<'a>)>);

impl Labels<'_> {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| &**name == key).map(|(_, value)| &**value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;
        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = Labels<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels<'de>, A::Error> {
                let mut labels = Vec::new();
                while let Some((key, value)) = map.next_entry::<Text<'de>, Option<Text<'de>>>()? {
                    labels.push((key, value.unwrap_or_default()));
                }
                Ok(Labels(labels))
            }
        }
        deserializer.deserialize_map(LabelsVisitor)
    }
}

/// Annotations as they come, as far as any may be asked for: the long ones are data, and no name.
#[derive(Debug, Default)]
pub(super) struct Annotations<'a>(Vec<(Text<'a>, Text<'a>)>);

/// Longest value that is kept, bytes: that of a Kubernetes name.
const LONGEST_ANNOTATION: usize = 253;

/// Marks the API server's mirror of a static pod.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Annotations that are long wherever they stand; they are skipped, not read.
const LONG: [&str; 2] = ["kubectl.kubernetes.io/last-applied-configuration", "objectset.rio.cattle.io/applied"];

impl Annotations<'_> {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| &**name == key).map(|(_, value)| &**value)
    }

    /// Whether it is the API server's mirror of a static pod.
    pub(super) fn is_mirror(&self) -> bool {
        self.get(MIRROR).is_some()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Annotations<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnnotationsVisitor;
        impl<'de> Visitor<'de> for AnnotationsVisitor {
            type Value = Annotations<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations<'de>, A::Error> {
                let mut annotations = Vec::new();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    if LONG.contains(&&*key) {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if let Some(value) = map.next_value::<Option<Text<'de>>>()?
                        && (value.len() <= LONGEST_ANNOTATION || &*key == MIRROR)
                    {
                        annotations.push((key, value));
                    }
                }
                Ok(Annotations(annotations))
            }
        }
        deserializer.deserialize_map(AnnotationsVisitor)
    }
}

/// `ownerReferences[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OwnerReference<'a> {
    #[serde(borrow)]
    pub(super) api_version: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) uid: Option<Text<'a>>,
    pub(super) controller: Option<bool>,
}

/// An object of which only the metadata counts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Bare<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) metadata: Meta<'a>,
}

/// A pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) metadata: Meta<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) spec: PodSpec<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) status: PodStatus<'a>,
}

/// A controller: where its pod template sits depends on its kind, and no kind has both.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Object<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) metadata: Meta<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) spec: ObjectSpec<'a>,
}

/// `spec` of a controller.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ObjectSpec<'a> {
    #[serde(borrow)]
    pub(super) template: Option<PodTemplate<'a>>,
    #[serde(borrow)]
    pub(super) job_template: Option<JobTemplate<'a>>,
    pub(super) suspend: Option<bool>,
}

impl<'a> ObjectSpec<'a> {
    /// The pod specification, wherever it sits.
    pub(super) fn pod_spec(&self) -> Option<&PodSpec<'a>> {
        let template = self.template.as_ref().or_else(|| self.job_template.as_ref()?.spec.template.as_ref())?;
        Some(&template.spec)
    }
}

/// `jobTemplate` of a `CronJob`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JobTemplate<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) spec: JobSpec<'a>,
}

/// `spec` of a Job.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JobSpec<'a> {
    #[serde(borrow)]
    pub(super) template: Option<PodTemplate<'a>>,
}

/// A pod template.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodTemplate<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) spec: PodSpec<'a>,
}

/// A `ControllerRevision`: the template of one revision of a `DaemonSet` or `StatefulSet`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Revision<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) data: RevisionData<'a>,
}

/// `data` of a `ControllerRevision`: a patch that replaces the whole template.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RevisionData<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) spec: JobSpec<'a>,
}

/// `spec` of a pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) containers: Vec<SpecContainer<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) init_containers: Vec<SpecContainer<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) ephemeral_containers: Vec<SpecContainer<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) volumes: Vec<Volume<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) image_pull_secrets: Vec<LocalReference<'a>>,
    #[serde(borrow)]
    pub(super) service_account_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) node_name: Option<Text<'a>>,
    pub(super) host_network: Option<bool>,
}

/// A reference to an object in the same namespace.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LocalReference<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
}

/// A container as it is specified.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SpecContainer<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) image: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) image_pull_policy: Option<Text<'a>>,
    pub(super) command: RangeFlags,
    pub(super) args: RangeFlags,
}

/// Of a command line only the flags that name address ranges: nothing is held of all others, and nothing else is demanded of it.
#[derive(Debug, Default)]
pub(super) struct RangeFlags(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for RangeFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagsVisitor;
        impl<'de> Visitor<'de> for FlagsVisitor {
            type Value = RangeFlags;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of strings")
            }

            fn visit_str<E>(self, argument: &str) -> Result<RangeFlags, E> {
                Ok(RangeFlags(if is_range_flag(argument) { vec![argument.to_owned()] } else { Vec::new() }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RangeFlags, A::Error> {
                let mut flags = Vec::new();
                while let Some(RangeFlags(mut more)) = list.next_element()? {
                    flags.append(&mut more);
                }
                Ok(RangeFlags(flags))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RangeFlags, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(RangeFlags::default())
            }

            fn visit_unit<E>(self) -> Result<RangeFlags, E> {
                Ok(RangeFlags::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<RangeFlags, E> {
                Ok(RangeFlags::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<RangeFlags, E> {
                Ok(RangeFlags::default())
            }

            fn visit_u64<E>(self, _: u64) -> Result<RangeFlags, E> {
                Ok(RangeFlags::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<RangeFlags, E> {
                Ok(RangeFlags::default())
            }
        }
        deserializer.deserialize_any(FlagsVisitor)
    }
}

/// A volume.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Volume<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) image: Option<ImageSource<'a>>,
}

/// `volumes[].image`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ImageSource<'a> {
    #[serde(borrow)]
    pub(super) reference: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) pull_policy: Option<Text<'a>>,
}

/// `status` of a pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodStatus<'a> {
    #[serde(borrow)]
    pub(super) phase: Option<Text<'a>>,
    #[serde(borrow, rename = "podIPs", deserialize_with = "or_default")]
    pub(super) pod_ips: Vec<PodIp<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) container_statuses: Vec<ContainerStatus<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) init_container_statuses: Vec<ContainerStatus<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) ephemeral_container_statuses: Vec<ContainerStatus<'a>>,
}

/// `podIPs[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodIp<'a> {
    #[serde(borrow)]
    pub(super) ip: Option<Text<'a>>,
}

/// What the kubelet says about a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, rename = "imageID")]
    pub(super) image_id: Option<Text<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) state: ContainerState<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) last_state: ContainerState<'a>,
    #[serde(deserialize_with = "or_default")]
    pub(super) restart_count: i64,
    #[serde(borrow, deserialize_with = "or_default")]
    pub(super) volume_mounts: Vec<MountStatus<'a>>,
}

/// A container's state; one member is set.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerState<'a> {
    #[serde(borrow)]
    pub(super) running: Option<Started<'a>>,
    #[serde(borrow)]
    pub(super) terminated: Option<Started<'a>>,
}

/// When it started.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Started<'a> {
    #[serde(borrow)]
    pub(super) started_at: Option<Text<'a>>,
}

/// `volumeMounts[]` of a container's status; the image's digest is in it with the feature gate
/// `ImageVolumeWithDigest` (KEP-5365), which Kubernetes 1.36 has and leaves off.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct MountStatus<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) volume_status: Option<VolumeStatus<'a>>,
}

/// Status of a mounted volume.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VolumeStatus<'a> {
    #[serde(borrow)]
    pub(super) image: Option<ImageVolumeStatus<'a>>,
}

/// Status of a mounted image.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ImageVolumeStatus<'a> {
    #[serde(borrow)]
    pub(super) image_ref: Option<Text<'a>>,
}
