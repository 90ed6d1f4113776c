//! Manifests of workloads, as JSON.

use serde_json::{Map, Value, json};

/// What a pod runs, under construction.
#[derive(Clone, Default)]
pub struct Pod {
    labels: Map<String, Value>,
    annotations: Map<String, Value>,
    spec: Map<String, Value>,
}

impl Pod {
    /// A pod with the container `app`.
    pub fn of(image: &str) -> Self {
        Self::default().push("containers", json!({"name": "app", "image": image}))
    }

    /// With an init container.
    pub fn init(self, name: &str, image: &str) -> Self {
        self.push("initContainers", json!({"name": name, "image": image}))
    }

    /// With an image as a volume.
    pub fn volume(mut self, name: &str, image: &str) -> Self {
        self.spec["containers"][0]["volumeMounts"] = json!([{"name": name, "mountPath": format!("/{name}")}]);
        self.push("volumes", json!({"name": name, "image": {"reference": image}}))
    }

    /// With a pull secret.
    pub fn secret(self, name: &str) -> Self {
        self.push("imagePullSecrets", json!({"name": name}))
    }

    /// With another account than `default`.
    pub fn account(self, name: &str) -> Self {
        self.set("serviceAccountName", name.into())
    }

    /// With a field of the specification.
    pub fn set(mut self, field: &str, value: Value) -> Self {
        self.spec.insert(field.to_owned(), value);
        self
    }

    /// With an annotation.
    pub fn annotated(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(name.to_owned(), value.into());
        self
    }

    /// With a label.
    pub fn labelled(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.into());
        self
    }

    fn push(mut self, field: &str, value: Value) -> Self {
        match self.spec.get_mut(field).and_then(Value::as_array_mut) {
            Some(list) => list.push(value),
            None => _ = self.spec.insert(field.to_owned(), json!([value])),
        }
        self
    }

    /// Its template, with the label `app` by which its pods are found.
    pub fn template(&self, app: &str) -> Value {
        let mut labels = self.labels.clone();
        labels.insert("app".to_owned(), app.into());
        json!({"metadata": {"labels": labels, "annotations": self.annotations}, "spec": self.spec})
    }
}

/// An object.
pub fn object(version: &str, kind: &str, namespace: &str, name: &str, content: Value) -> Value {
    let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"namespace": namespace, "name": name}});
    if let (Some(object), Value::Object(content)) = (object.as_object_mut(), content) {
        object.extend(content);
    }
    object
}

/// A workload of `apps/v1` with so many replicas.
pub fn replicated(kind: &str, namespace: &str, name: &str, replicas: u32, pod: &Pod) -> Value {
    let mut spec = json!({"selector": {"matchLabels": {"app": name}}, "template": pod.template(name)});
    match kind {
        "DaemonSet" => {}
        "StatefulSet" => {
            spec["replicas"] = replicas.into();
            spec["serviceName"] = name.into();
        }
        _ => spec["replicas"] = replicas.into(),
    }
    object("apps/v1", kind, namespace, name, json!({"spec": spec}))
}

/// A pod of its own.
pub fn pod(namespace: &str, name: &str, pod: &Pod) -> Value {
    let mut object = object("v1", "Pod", namespace, name, pod.template(name));
    object["metadata"]["name"] = name.into();
    object["metadata"]["namespace"] = namespace.into();
    object
}

/// The specification of a Job.
pub fn job(name: &str, pod: &Pod) -> Value {
    json!({"template": pod.clone().set("restartPolicy", "Never".into()).template(name)})
}

/// A `CronJob` that does not fire while tests run.
pub fn cron_job(namespace: &str, name: &str, suspended: bool, pod: &Pod) -> Value {
    let spec = json!({"schedule": "0 0 29 2 *", "suspend": suspended, "jobTemplate": {"spec": job(name, pod)}});
    object("batch/v1", "CronJob", namespace, name, json!({"spec": spec}))
}

/// One more owner's reference for an object: its controller.
pub fn owned(mut object: Value, version: &str, owner: &Value) -> Value {
    object["metadata"]["ownerReferences"] = json!([{
        "apiVersion": version, "kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": true,
    }]);
    object
}
