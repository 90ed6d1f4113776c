//! A server on loopback that counts what it is asked, and ends with whoever started it.

use std::convert::Infallible;
use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

/// One request, as far as a scripted server looks at it.
pub struct Asked<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub query: &'a str,
    pub accept: &'a str,
}

impl Asked<'_> {
    /// A parameter of the query; values here need no decoding.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// One answer.
pub struct Answer {
    pub status: StatusCode,
    pub media_type: &'static str,
    pub digest: Option<String>,
    pub body: Bytes,
}

impl Answer {
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, media_type: "application/json", digest: None, body: body.into() }
    }

    pub fn not_found(body: &'static str) -> Self {
        Self { status: StatusCode::NOT_FOUND, media_type: "application/json", digest: None, body: Bytes::from_static(body.as_bytes()) }
    }
}

/// Answers by the request alone.
pub type Routes = dyn Fn(&Asked<'_>) -> Answer + Send + Sync;

struct Server {
    routes: Box<Routes>,
    delay: Duration,
    /// `METHOD PATH ACCEPT` of each request, in the order of their arrival.
    log: Mutex<String>,
}

/// Serves until standard input ends, after printing the port. `/_bench/log` tells the requests since it was last asked.
pub fn serve(delay: Duration, routes: Box<Routes>) {
    // The parent holds the other end: when it ends, however it ends, so does this.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let server = Arc::new(Server { routes, delay, log: Mutex::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let answer = service_fn(|request| server.answer(request));
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (method, uri) = (request.method(), request.uri());
        let accept = request.headers().get("accept").and_then(|value| value.to_str().ok()).unwrap_or("*/*");
        if uri.path() == "/_bench/log" {
            return Ok(Response::new(Full::new(std::mem::take(&mut *self.log.lock().unwrap()).into())));
        }
        {
            use std::fmt::Write as _;
            writeln!(self.log.lock().unwrap(), "{method}\t{uri}\t{accept}").unwrap();
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let answer = (self.routes)(&Asked { method, path: uri.path(), query: uri.query().unwrap_or_default(), accept });
        let mut response =
            Response::builder().status(answer.status).header("content-type", answer.media_type).header("content-length", answer.body.len());
        if let Some(digest) = answer.digest {
            response = response.header("docker-content-digest", digest);
        }
        let body = if method == Method::HEAD { Bytes::new() } else { answer.body };
        Ok(response.body(Full::new(body)).unwrap())
    }
}
