//! A server that proves nothing: files, and a 404.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

/// Serves a directory for as long as the test runs, and returns the origin.
pub(crate) fn serve(directory: &Path) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let directory = directory.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let directory = directory.clone();
            thread::spawn(move || answer(stream.unwrap(), directory));
        }
    });
    origin
}

fn answer(mut stream: TcpStream, directory: PathBuf) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().and_then(Result::ok).unwrap_or_default();
    let _ = lines.by_ref().map_while(Result::ok).find(String::is_empty);

    let path = request.split(' ').nth(1).unwrap_or("/");
    let path = path
        .trim_start_matches('/')
        .replace("%20", " ")
        .replace("%C3%A7", "ç");
    let path = if path.is_empty() {
        "index.html".into()
    } else {
        path
    };
    let body = fs::read(directory.join(&path));
    let status = if body.is_ok() {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let body = body.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        hallmark::content::content_type(&path),
        body.len()
    );
    // The browser may have lost interest.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&body));
}
