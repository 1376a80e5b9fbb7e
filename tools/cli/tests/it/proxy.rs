//! A way to a network that loses what it is told to lose.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is answered.
    Pass,
    /// It does not arrive.
    LoseRequest,
    /// It arrives, and its answer does not.
    LoseAnswer,
    /// It does not arrive, and the connection stays open.
    HoldRequest,
    /// It arrives, its answer does not, and the connection stays open.
    HoldAnswer,
}

/// A request.
pub(crate) struct Request {
    bytes: Vec<u8>,
    head: usize,
}

/// Listens for as long as the test runs.
pub(crate) struct Proxy {
    pub(crate) url: String,
    held: Receiver<()>,
    /// Open, and never to be answered.
    _open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Request {
    /// Whether it is an update.
    pub(crate) fn is_update(&self) -> bool {
        let head = String::from_utf8_lossy(&self.bytes[..self.head]);
        let line = head.lines().next().unwrap_or_default();
        line.contains("/call ")
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    fn read(stream: &mut TcpStream) -> io::Result<Request> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 1 << 16];
        let mut more = |bytes: &mut Vec<u8>| match stream.read(&mut buffer)? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            length => {
                bytes.extend_from_slice(&buffer[..length]);
                Ok(())
            }
        };
        let head = loop {
            let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
            match end {
                Some(end) => break end + 4,
                None => more(&mut bytes)?,
            }
        };
        let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        while bytes.len() < head + length {
            more(&mut bytes)?;
        }
        Ok(Request { bytes, head })
    }

    /// Asks the network, and returns all of its answer.
    fn pass_on(&self, port: u16) -> io::Result<Vec<u8>> {
        let mut upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        // One answer, and the end of the connection.
        let line = self.bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        upstream.write_all(&self.bytes[..line])?;
        upstream.write_all(b"Connection: close\r\n")?;
        upstream.write_all(&self.bytes[line..])?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        Ok(answer)
    }
}

impl Proxy {
    /// A way to the network on this port, where `fate` decides.
    pub(crate) fn start(
        port: u16,
        fate: impl Fn(&Request) -> Fate + Send + Sync + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, held) = channel();
        let open = Arc::new(Mutex::new(Vec::new()));
        let kept = open.clone();
        let fate = Arc::new(fate);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (fate, sender, kept) = (fate.clone(), sender.clone(), kept.clone());
                // Fails when the client is killed, which is what it is for.
                thread::spawn(move || serve(stream, port, &*fate, &sender, &kept));
            }
        });
        Proxy {
            url,
            held,
            _open: open,
        }
    }

    /// Whether a request is held.
    pub(crate) fn holds(&self) -> bool {
        self.held.try_recv().is_ok()
    }
}

fn serve(
    mut stream: TcpStream,
    port: u16,
    fate: &dyn Fn(&Request) -> Fate,
    held: &Sender<()>,
    open: &Mutex<Vec<TcpStream>>,
) -> io::Result<()> {
    let request = Request::read(&mut stream)?;
    let fate = fate(&request);
    if matches!(fate, Fate::Pass | Fate::LoseAnswer | Fate::HoldAnswer) {
        let answer = request.pass_on(port)?;
        if fate == Fate::Pass {
            stream.write_all(&answer)?;
        }
    }
    if matches!(fate, Fate::HoldRequest | Fate::HoldAnswer) {
        open.lock().unwrap().push(stream);
        // Fails when the test is over.
        let _ = held.send(());
        return Ok(());
    }
    stream.shutdown(Shutdown::Both)
}
