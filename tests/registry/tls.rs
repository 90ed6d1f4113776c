//! TLS: private authorities, and HTTP/2 where it is offered.
//!
//! The certificate in `tls/` is for 127.0.0.1, good for a hundred years, from an authority whose key was thrown away.

use std::path::PathBuf;
use std::sync::Arc;

use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/registry/tls", name].iter().collect()
}

type Exchange = hyper::Request<hyper::body::Incoming>;

/// The image of every path, by whatever protocol is offered; counts connections.
async fn start(protocol: &str) -> (String, Arc<AtomicUsize>) {
    let certificates = CertificateDer::pem_file_iter(file("server.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let http2 = protocol == "h2";
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            counter.fetch_add(1, SeqCst);
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper::service::service_fn(|request: Exchange| async move {
                    let reply = unsigned(&Asked {
                        method: request.method().to_string(),
                        target: request.uri().path().to_owned(),
                        headers: Vec::new(),
                        body: String::new(),
                    });
                    let mut response = hyper::Response::builder().status(reply.status);
                    for (name, value) in &reply.headers {
                        response = response.header(name, value);
                    }
                    response.body(Full::new(bytes::Bytes::from(reply.body)))
                });
                let stream = TokioIo::new(stream);
                let _ = match http2 {
                    true => hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await,
                    false => hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await,
                };
            });
        }
    });
    (host, connections)
}

fn trusting(ca_files: Vec<PathBuf>) -> Registry {
    let mut options = RegistryOptions { plain_http: Vec::new(), ca_files, ..options() };
    options.timeouts.first_byte = Duration::from_secs(5);
    Registry::new(options, Vec::new()).unwrap()
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_named() {
    let (host, _) = start("http/1.1").await;
    let repository = Repository::new(&host, "app").unwrap();
    let answers = ask_all(&trusting(vec![file("authority.pem")]), &repository, &questions(&digest(IMAGE))).await;
    assert!(matches!(answers[0].answer.outcome, Outcome::Found(_)), "{:?}", answers[0].answer);
    let stranger = ask_all(&trusting(Vec::new()), &repository, &[Ask::Manifest(digest(IMAGE))]).await.remove(0).answer.outcome;
    assert_eq!(cause(&stranger), Some(Cause::Tls), "{stranger:?}");
    assert!(detail(&stranger).contains("--ca-file"), "{stranger:?}");
}

#[tokio::test]
async fn http2_carries_many_questions_over_few_connections() {
    let (host, connections) = start("h2").await;
    let registry = trusting(vec![file("authority.pem")]);
    let asks = questions(&digest(IMAGE));
    let repositories: Vec<_> = (0..100).map(|number| Repository::new(&host, &format!("app-{number}")).unwrap()).collect();
    let answers = futures::future::join_all(repositories.iter().map(|repository| ask_all(&registry, repository, &asks))).await;
    assert!(answers.iter().all(|answers| matches!(answers[0].answer.outcome, Outcome::Found(_))), "{:?}", answers[0][0].answer);
    assert!(answers.iter().all(|answers| answers[1].answer.outcome == Outcome::Absent && answers[2].answer.outcome == Outcome::Absent));
    assert!(connections.load(SeqCst) <= 2, "{}", connections.load(SeqCst));
}
