//! As much of an HTTP client as asking a gateway takes.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(&header.1)
    }
}

/// Asks `host` on a port of this machine for `target`, as it stands.
pub(crate) fn get(port: u16, host: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    // 1.0: one answer, in one piece, and the end of the connection.
    let mut request = format!("GET {target} HTTP/1.0\r\nHost: {host}:{port}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();

    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = str::from_utf8(&bytes[..end]).unwrap();
    let (status, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let fields = fields.lines().map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_owned(), value.trim().to_owned())
    });
    Response {
        status: status.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: fields.collect(),
        body: bytes[end + 4..].to_vec(),
    }
}
