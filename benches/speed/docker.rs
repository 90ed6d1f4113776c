//! A real registry (Docker's `distribution`), with the same content as the scripted one: written where it stores it.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::content::{self, Content, Form};

/// What a client has to accept to get every manifest.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, */*";

/// The registry's process. It ends when this value does.
pub struct Docker {
    child: Child,
    pub port: u16,
    directory: tempfile::TempDir,
    /// How much of the access log was read.
    read: std::cell::Cell<u64>,
}

impl Docker {
    /// Starts it with so many images, each with what a form by tags has.
    pub fn start(program: &Path, images: usize, form: Form, key: &Path) -> Self {
        let signer = content::Signer::read(key);
        let directory = tempfile::tempdir().unwrap();
        let store = Store { root: directory.path().join("store/docker/registry/v2") };
        for number in 0..images {
            store.put(number, form, &signer);
        }
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let configuration = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: '{}'}}\n  cache: {{blobdescriptor: inmemory}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            directory.path().join("store").display()
        );
        let file = directory.path().join("config.yml");
        fs::write(&file, configuration).unwrap();
        let log = fs::File::create(directory.path().join("access")).unwrap();
        let errors = fs::File::create(directory.path().join("errors")).unwrap();
        let child = Command::new(program).arg("serve").arg(&file).stdin(Stdio::null()).stdout(log).stderr(errors).spawn().unwrap();
        let registry = Self { child, port, directory, read: 0.into() };
        registry.wait();
        registry
    }

    fn wait(&self) {
        for _ in 0..200 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                assert!(answer.starts_with("HTTP/1.1 200"), "the registry answers {answer}");
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the registry does not start: {}", fs::read_to_string(self.directory.path().join("errors")).unwrap());
    }

    /// The requests since this was last asked, `METHOD PATH ACCEPT` each.
    pub fn log(&self) -> String {
        let mut file = fs::File::open(self.directory.path().join("access")).unwrap();
        file.seek(SeekFrom::Start(self.read.get())).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        self.read.set(self.read.get() + text.len() as u64);
        let requests = text.lines().filter_map(|line| line.split('"').nth(1)?.strip_suffix(" HTTP/1.1"));
        requests.map(|request| format!("{}\t{ACCEPT}\n", request.replacen(' ', "\t", 1))).collect()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The registry's files.
struct Store {
    root: PathBuf,
}

impl Store {
    fn put(&self, number: usize, form: Form, signer: &content::Signer) {
        let repository = content::repository(number);
        let image = content::image(number);
        let signatures = content::signatures(&image, form, 1, 0, signer);
        let tag = |suffix: &&str| format!("{}.{suffix}", image.manifest.digest.replace(':', "-"));
        let tagged = form.tags().iter().map(tag).zip(&signatures.manifests);
        for blob in signatures.blobs.iter().chain([&image.config]) {
            self.blob(blob);
            self.link(&format!("{repository}/_layers/{}", in_path(blob)), blob);
        }
        for (tag, manifest) in tagged.chain([("v1".to_owned(), &image.manifest)]) {
            self.blob(manifest);
            self.link(&format!("{repository}/_manifests/revisions/{}", in_path(manifest)), manifest);
            self.link(&format!("{repository}/_manifests/tags/{tag}/current"), manifest);
        }
    }

    fn blob(&self, content: &Content) {
        let hex = content.digest.trim_start_matches("sha256:");
        write(&self.root.join(format!("blobs/sha256/{}/{hex}/data", &hex[..2])), &content.bytes);
    }

    fn link(&self, path: &str, content: &Content) {
        write(&self.root.join("repositories").join(path).join("link"), content.digest.as_bytes());
    }
}

fn in_path(content: &Content) -> String {
    content.digest.replace(':', "/")
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
