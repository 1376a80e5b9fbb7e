//! The root key of a network, from wherever it is to be had.

use std::time::Duration;

use ic_agent::{Agent, AgentError};
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::Error;
use crate::network::{Location, Trust};
use crate::remote::reason;

/// How long to wait for it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The key that `trust` stands for, as DER. Only [`Trust::Fetched`] asks the network.
///
/// # Errors
///
/// [`Error::Unreachable`], if it does not answer.
pub fn root_key(location: &Location, trust: &Trust) -> Result<Vec<u8>, Error> {
    if let Trust::RootKey(key) = trust {
        return Ok(key.clone());
    }
    let broken = |error: AgentError| Error::Unreachable(reason(&error));
    // A new agent knows the key of the Internet Computer.
    let agent = Agent::builder().with_url(location.url().as_str()).build();
    let agent = agent.map_err(broken)?;
    if let Trust::Fetched = trust {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Unreachable(error.to_string()))?;
        let fetched = runtime.block_on(async { timeout(TIMEOUT, agent.fetch_root_key()).await });
        let silent = || Error::Unreachable(format!("{} does not answer", location.url()));
        fetched.map_err(|_| silent())?.map_err(broken)?;
    }
    Ok(agent.read_root_key())
}
