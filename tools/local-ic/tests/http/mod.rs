//! The least HTTP client: one request a connection, and every byte shown.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// `GET path` of `host` from the server on this machine's `port`.
pub(crate) fn get(port: u16, host: &str, path: &str) -> Response {
    send(port, "GET", host, path, b"").unwrap()
}

/// One request; an error if the connection ends before the response does.
pub(crate) fn send(
    port: u16,
    method: &str,
    host: &str,
    path: &str,
    body: &[u8],
) -> Result<Response> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(method, &answer).ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "a torn response"))
}

fn parse(method: &str, answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let (status_line, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let response = Response {
        status: status_line.split(' ').nth(1)?.parse().ok()?,
        headers: fields
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: answer[end + 4..].to_vec(),
    };
    let bodiless = method == "HEAD" || matches!(response.status, 204 | 304);
    let length = match response.header("content-length") {
        Some(length) if !bodiless => length.parse().ok()?,
        _ => 0,
    };
    (response.body.len() == length).then_some(response)
}
