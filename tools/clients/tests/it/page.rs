//! What a browser gets.

/// A response that the gateway let through.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Page {
    pub(crate) async fn of(response: reqwest::Response) -> Page {
        let headers = response.headers().iter();
        Page {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: response.bytes().await.unwrap().into(),
        }
    }

    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(key, _)| key == name)?;
        Some(value)
    }

    /// The body of a page that is there.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        let text = std::str::from_utf8(&self.body).unwrap();
        assert_eq!(self.status, 200, "{text}");
        text
    }
}
