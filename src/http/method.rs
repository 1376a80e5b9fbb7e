//! The method of a request.

/// A request method, as far as a site of files tells them apart. Methods are
/// case-sensitive ([RFC 9110 §9.1]).
///
/// [RFC 9110 §9.1]: https://www.rfc-editor.org/rfc/rfc9110#section-9.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// Every other method, and text that is no method at all: 405.
    Other,
}

impl Method {
    /// The value of the `Allow` header that a 405 must carry
    /// ([RFC 9110 §15.5.6]).
    ///
    /// [RFC 9110 §15.5.6]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
    pub const ALLOW: &str = "GET, HEAD";

    /// Tells the method by its name.
    ///
    /// ```
    /// use ic_hallmark::http::Method;
    ///
    /// assert_eq!(Method::named("GET"), Method::Get);
    /// assert_eq!(Method::named("get"), Method::Other);
    /// ```
    pub fn named(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            _ => Self::Other,
        }
    }
}
