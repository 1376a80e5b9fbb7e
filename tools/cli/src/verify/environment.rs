//! What pages are told of where they are: the cookie `ic_env`, in an answer that is certified.
//!
//! It is part of the site hash, so whoever computes that of a directory has to know it.

use ic_hallmark::site::Environment;

use super::answer::Answer;
use super::chain::Reason;

/// What pages are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// It, as the site hash covers it.
    pub environment: Environment,
    /// The root key of the network, as DER; `None` if pages are told nothing.
    pub root_key: Option<Vec<u8>>,
    /// The canister's public variables, by name.
    pub variables: Vec<(String, String)>,
}

impl Told {
    /// Reads what a page's answer tells.
    ///
    /// # Errors
    ///
    /// [`Reason::EnvironmentUnreadable`].
    pub fn read(answer: &Answer) -> Result<Told, Reason> {
        let mut cookies = answer.headers.iter().filter_map(|(name, value)| {
            let value = value.strip_prefix("ic_env=");
            value.filter(|_| name.eq_ignore_ascii_case("set-cookie"))
        });
        match cookies.next_back() {
            None => Ok(Told::default()),
            Some(cookie) => parse(cookie).ok_or(Reason::EnvironmentUnreadable),
        }
    }
}

fn parse(cookie: &str) -> Option<Told> {
    let value = cookie.split(';').next().unwrap_or_default();
    let text = decode(value)?;
    let mut pairs = text.split('&').map(|pair| pair.split_once('='));
    let (name, root_key) = pairs.next()??;
    let root_key = hex::decode(root_key).ok()?;
    let variables = pairs.map(|pair| pair.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let variables: Vec<_> = variables.collect::<Option<_>>()?;
    let environment = Environment::new(&root_key, variables.clone());
    // Otherwise there is more in it than was understood.
    let is_whole = environment.cookie().strip_prefix("ic_env=") == Some(cookie);
    (name == "ic_root_key" && is_whole).then_some(Told {
        environment,
        root_key: Some(root_key),
        variables,
    })
}

/// Undoes percent encoding.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2)?;
        bytes.extend(hex::decode(digits).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(cookies: &[&str]) -> Answer {
        let cookies = cookies.iter();
        Answer {
            status: 200,
            headers: cookies
                .map(|cookie| ("Set-Cookie".to_owned(), (*cookie).to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    #[test]
    fn what_the_library_tells_is_read_back() {
        let variables = [("PUBLIC_A", "1 / é"), ("PUBLIC_B", "")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::new(&[1, 0xab], variables.clone());
        let told = Told::read(&answer(&["a=b", environment.cookie()])).unwrap();
        assert_eq!(told.root_key, Some(vec![1, 0xab]));
        assert_eq!(told.variables, variables);
        assert_eq!(told.environment, environment);
        assert_eq!(Told::read(&answer(&["a=b"])), Ok(Told::default()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for cookie in [
            "ic_env=",
            "ic_env=a%3Db; SameSite=Lax",
            "ic_env=ic%5Froot%5Fkey%3Dab; SameSite=Strict",
            "ic_env=ic%5Froot%5Fkey%3Dab%26SECRET%3Da; SameSite=Lax",
            "ic_env=%",
            "ic_env=%zz",
        ] {
            let told = Told::read(&answer(&[cookie]));
            assert_eq!(told, Err(Reason::EnvironmentUnreadable), "{cookie}");
        }
    }
}
