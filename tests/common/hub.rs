//! The hub's addresses and headers on loopback.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const LARGE: &str = "large.safetensors";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hub with one repository, owner/name: safetensors by way of a redirection as large files are, others directly; and a
/// server of pictures.
pub struct Hub {
    pub port: u16,
    pub state: Arc<Serving>,
}

#[derive(Default)]
pub struct Serving {
    pub files: Mutex<HashMap<String, Vec<u8>>>,
    /// What the listing says of large.safetensors, if not the truth.
    pub lie: Mutex<Option<(u64, String)>>,
    /// How many data requests still break off after how many bytes.
    pub breaks: AtomicUsize,
    pub after: AtomicUsize,
    pub requests: Mutex<Vec<String>>,
}

impl Hub {
    /// With a large file of no meaning, and an empty configuration.
    pub fn open() -> Hub {
        let large: Vec<u8> = (0..200_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        Hub::serving([(LARGE.to_string(), large), ("config.json".into(), b"{}".to_vec())].into())
    }

    /// With these files.
    pub fn serving(files: HashMap<String, Vec<u8>>) -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Serving { files: Mutex::new(files), ..Serving::default() });
        let serving = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(stream, port));
            }
        });
        Hub { port, state }
    }

    pub fn large(&self) -> Vec<u8> {
        self.state.files.lock().unwrap()[LARGE].clone()
    }

    /// Requests of data beyond the first byte, by which metadata are asked.
    pub fn downloads(&self) -> Vec<String> {
        let requests = self.state.requests.lock().unwrap();
        let wanted = |line: &&String| !line.contains("/api/") && !line.ends_with("bytes=0-0");
        requests.iter().filter(wanted).cloned().collect()
    }

    pub fn break_off(&self, times: usize, after: usize) {
        self.state.breaks.store(times, Ordering::SeqCst);
        self.state.after.store(after, Ordering::SeqCst);
    }
}

impl Serving {
    fn serve(&self, stream: TcpStream, port: u16) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut stream = stream;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let path = line.split(' ').nth(1)?.to_string();
            let mut range = None;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).ok()?;
                if header.trim().is_empty() {
                    break;
                }
                if let Some((name, value)) = header.split_once(':') {
                    if name.eq_ignore_ascii_case("range") {
                        range = Some(value.trim().to_string());
                    }
                }
            }
            let asked = range.clone().unwrap_or_default();
            self.requests.lock().unwrap().push(format!("{path} {asked}").trim().to_string());
            self.answer(&mut stream, &path, range.as_deref(), port)?;
        }
    }

    fn answer(&self, stream: &mut TcpStream, path: &str, range: Option<&str>, port: u16) -> Option<()> {
        let files = self.files.lock().unwrap().clone();
        let known = |name: &str| {
            let bytes = &files[name];
            let lie = self.lie.lock().unwrap().clone().filter(|_| name == LARGE);
            lie.unwrap_or((bytes.len() as u64, sha256(bytes)))
        };
        let is_large = |name: &str| name.ends_with(".safetensors");
        if path.starts_with("/api/models/owner/name/revision/") {
            let sibling = |name: &String| {
                let (size, hash) = known(name);
                let large = serde_json::json!({"sha256": hash, "size": size, "pointerSize": 1});
                let large = if is_large(name) { large } else { serde_json::Value::Null };
                serde_json::json!({"rfilename": name, "size": size, "blobId": blob(name), "lfs": large})
            };
            let siblings: Vec<_> = files.keys().map(sibling).collect();
            let body = serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
            return Some(());
        }
        let resolve = format!("/owner/name/resolve/{COMMIT}/");
        let commit = format!("X-Repo-Commit: {COMMIT}\r\n");
        match path.strip_prefix(&resolve).filter(|name| files.contains_key(*name)) {
            Some(name) if is_large(name) => {
                let (size, hash) = known(name);
                write!(
                    stream,
                    "HTTP/1.1 302 Found\r\n{commit}X-Linked-Etag: \"{hash}\"\r\nX-Linked-Size: {size}\r\n\
                     Location: http://127.0.0.1:{port}/cdn/{name}\r\nContent-Length: 0\r\n\r\n"
                )
                .ok()?;
                return Some(());
            }
            Some(name) => {
                let etag = format!("ETag: \"{}\"\r\n", blob(name));
                return send(stream, &files[name], range, &(commit + &etag), None);
            }
            None => {}
        }
        if let Some(name) = path.strip_prefix("/cdn/") {
            let asks_metadata = range == Some("bytes=0-0");
            let breaks = !asks_metadata
                && self.breaks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            let cut = breaks.then(|| self.after.load(Ordering::SeqCst));
            return send(stream, &files[name], range, "", cut);
        }
        if let Some(picture) = path.strip_prefix("/pictures/").and_then(|name| files.get(name)) {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", picture.len()).ok()?;
            return stream.write_all(picture).ok();
        }
        write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok()
    }
}

/// The name of a small file among the cache's blobs; git's, for the file that tests ask for by it.
fn blob(name: &str) -> String {
    match name {
        "config.json" => "9e26dfeeb6e641a33dae4961196235bdb965b21b".into(),
        _ => sha256(name.as_bytes())[..40].into(),
    }
}

/// The range that was asked for; with `cut`, only so many bytes of it before the connection ends.
fn send(stream: &mut TcpStream, all: &[u8], range: Option<&str>, headers: &str, cut: Option<usize>) -> Option<()> {
    let bounds = range?.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = bounds.0.parse().ok()?;
    if first >= all.len() {
        return write!(stream, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let last = bounds.1.parse().unwrap_or(all.len() - 1);
    let part = &all[first..=last];
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\n{headers}Content-Range: bytes {first}-{last}/{}\r\nContent-Length: {}\r\n\r\n",
        all.len(),
        part.len()
    )
    .ok()?;
    stream.write_all(&part[..cut.unwrap_or(part.len()).min(part.len())]).ok()?;
    match cut {
        Some(_) => {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            None
        }
        None => Some(()),
    }
}
